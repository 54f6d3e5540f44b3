#!/bin/sh
# fuzz.sh BUILD SECONDS: runs each fuzz target of a build for so long, with fuzz/corpus as seeds. What it finds is kept in
# BUILD/found, so that the next run goes on from there; an input that crashes, and what was said, is in BUILD/crashes.
set -eu
build=$1
seconds=$2
failed=""
for seeds in fuzz/corpus/*; do
    target=${seeds##*/}
    log=$build/crashes/$target.log
    mkdir -p "$build/crashes" "$build/found/$target"
    if "$build/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -dict="fuzz/$target.dict" \
        -artifact_prefix="$build/crashes/$target-" "$build/found/$target" "$seeds" >"$log" 2>&1; then
        echo "fuzz: $target: $(tail -n 1 "$log")"
        rm "$log"
    else
        grep -E 'ERROR|SUMMARY|runtime error|Test unit' "$log" || tail -n 5 "$log"
        failed="$failed $target"
    fi
done
[ -z "$failed" ] || { echo "fuzz: failed:$failed; see $build/crashes" >&2; exit 1; }

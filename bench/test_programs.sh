#!/bin/sh
# test_programs.sh BIN SHORTGPT: generated models open and run in both formats, breakdown counts products, stages prunes.
set -eu
bin=$1
shortgpt=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
small="layers=3 vocab=300 hidden=256 ffn=512"
for format in hf bf16 q4_k_m; do
    for shape in "llama-1.1b heads=4 kv_heads=2" "qwen-0.5b heads=4 kv_heads=2" "gemma-270m heads=2"; do
        # shellcheck disable=SC2086 # words
        set -- $shape
        name=$1.$format
        shift
        # shellcheck disable=SC2086
        "$bin/make_model" "${name%.*}" $format "$name" $small "$@"
        "$shortgpt" eval "$name" --tokens 64 --window 32 --json out.json --quiet >/dev/null
        "$bin/stages" "$name" out >stages
        grep -q '^writing [0-9]' stages
        grep -q '^reading back [0-9]' stages
        rm -r out
    done
done
i=0
while [ $((i += 1)) -le 20 ]; do echo "Twenty lines of a text."; done >text
for what in score eval; do
    "$bin/breakdown" llama-1.1b.hf $what 64 32 text 1 >breakdown
    for part in "read and dequantize" "weight products" attention observers; do grep -q "^  $part .* s " breakdown; done
    grep -qE 'alone: [0-9.]+ s, [0-9]+ GFLOP/s' breakdown
    grep -qE '^share of the products. rate: [0-9.]+ %' breakdown
done
grep -q '^  head: product ' breakdown

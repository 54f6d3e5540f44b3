#!/bin/sh
# memory.sh PROGRAM [key=value ...]: does --memory bound a model larger than memory? Writes a llama of 13 GB with random weights
# (random_llama.py, with its keys), scores 16,384 tokens under RLIMIT_DATA, and checks that score finishes, that resident anonymous
# memory stays below --memory, that a chunk holds at least 16,384 tokens, and that the disk gives each weight byte once per chunk.
# The model is deleted afterwards.
#
#   MEMORY=4000000000   --memory           LIMIT=4294967296  RLIMIT_DATA, bytes
#   TOKENS=16384        to score           CGROUP=           a memory cgroup's directory to run in
#   DIR=${TMPDIR:-/tmp} where the model goes
set -eu
program=$(realpath "$1")
shift
here=$(dirname "$(realpath "$0")")
memory=${MEMORY:-4000000000} limit=${LIMIT:-4294967296} tokens=${TOKENS:-16384}
base=$(mktemp -d "${DIR:-${TMPDIR:-/tmp}}/shortgpt-memory.XXXXXX")
pid=
trap 'rm -rf "$base"' EXIT
trap 'test -z "$pid" || kill "$pid"; exit 130' INT TERM

python3 "$here/random_llama.py" "$base/model" "$@"
cat "$here/../src/measure/texts/score.txt" >"$base/text"
sync
for f in "$base"/model/*.safetensors; do # out of the system's cache
    dd if="$f" iflag=nocache count=0 2>/dev/null
done
bytes=$(du -cbL "$base"/model/*.safetensors | tail -n 1 | cut -f 1)

(
    if [ -n "${CGROUP:-}" ]; then sh -c 'echo $PPID' >"$CGROUP/cgroup.procs"; fi
    ulimit -d $((limit / 1024))
    OMP_WAIT_POLICY=passive exec "$program" score "$base/model" --text "$base/text" --tokens "$tokens" --memory "$memory" --json -
) >"$base/score.json" 2>"$base/err" &
pid=$!

peak=0 read=0
while kill -0 "$pid" 2>/dev/null; do
    now=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null || true)
    disk=$(sed -n 's/^read_bytes: //p' "/proc/$pid/io" 2>/dev/null || true)
    [ "${now:-0}" -le "$peak" ] || peak=$now
    [ "${disk:-0}" -le "$read" ] || read=$disk
    sleep 0.2
done
status=0
wait "$pid" || status=$?
pid=
[ "$status" = 0 ] || { echo "score failed ($status): $(cat "$base/err")"; exit 1; }

python3 - "$base/score.json" "$memory" "$tokens" $((peak * 1024)) "$read" "$bytes" <<'PYTHON'
import json, sys

score, (memory, tokens, peak, read, size) = json.load(open(sys.argv[1])), map(int, sys.argv[2:])
chunks, calibration = score["chunks"], score["calibration"]
per_chunk = calibration["tokens"] / chunks
checks = [
    (f"resident anonymous memory {peak / 1e6:.0f} MB of --memory {memory / 1e6:.0f} MB", 0 < peak <= memory),
    (f"{calibration['tokens']} tokens in {chunks} chunk(s)", per_chunk >= min(16384, tokens)),
    (f"{read / 1e9:.2f} GB read, the weights have {size / 1e9:.2f} GB", read <= 1.02 * size * chunks + 64e6),
]
print(f"{score['seconds']:.1f} s, {score['tokens_per_second']:.0f} tokens/s, {score['precision']}")
for text, ok in checks:
    print("ok  " if ok else "FAIL", text)
sys.exit(not all(ok for _, ok in checks))
PYTHON

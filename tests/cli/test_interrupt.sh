# Ctrl-C and kill: the process ends by the signal, and nothing is left.
. "$(dirname "$0")/lib.sh"
model=$golden/tiny_llama.gguf
text 2000000 >"$base/long.txt" # more than any machine gets through before the signal comes

interrupted() { # NAME SIGNAL ARGUMENT...
    local name=$1 signal=$2
    shift 2
    python3 - "$signal" "$base/err" "$shortgpt" "$@" >"$base/why" 2>&1 <<'PYTHON' || fail "$name: $(tail -n 1 "$base/why")"
import signal, subprocess, sys, time
number = getattr(signal, sys.argv[1])
signal.signal(signal.SIGINT, signal.default_int_handler)
p = subprocess.Popen(sys.argv[3:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=open(sys.argv[2], "wb"))
time.sleep(1.5)
p.send_signal(number)
out = p.communicate(timeout=120)[0]
assert p.returncode == -number, "ended with %s" % p.returncode
assert not out, "wrote to stdout: %r" % out[:200]
PYTHON
    grep -q 'interrupted; nothing was written' "$base/err" || fail "$name: said $(head -c 300 "$base/err")"
    nothing_left "$name"
}
# The same while OUT is being written: the signal comes when the temporary sibling is there.
python3 "$(dirname "$0")/big_model.py" "$golden/tiny_llama" "$base/big" || fail "big_model.py"
for name in SIGINT SIGTERM; do
    python3 - $name "$base/err" "$shortgpt" prune "$base/big" --layers 1 -o small >"$base/why" 2>&1 <<'PYTHON' || fail "writing: $(tail -n 1 "$base/why")"
import glob, signal, subprocess, sys, time
number = getattr(signal, sys.argv[1])
p = subprocess.Popen(sys.argv[3:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=open(sys.argv[2], "wb"))
while not glob.glob(".small.shortgpt-*") and p.poll() is None:
    time.sleep(0.001)
p.send_signal(number)
out = p.communicate(timeout=120)[0]
assert p.returncode == -number, "ended with %s" % p.returncode
assert not out, "wrote to stdout: %r" % out[:200]
PYTHON
    grep -q 'interrupted; nothing was written' "$base/err" || fail "writing: said $(head -c 300 "$base/err")"
    nothing_left "interrupted by $name while writing"
done

endless="--text $base/long.txt --tokens 2000000 --window 32 --precision f32"
# shellcheck disable=SC2086 # a list of words
{
    interrupted "score" SIGINT score "$model" $endless --json scores.json
    interrupted "eval" SIGTERM eval "$model" $endless --json -
    interrupted "prune" SIGINT prune "$model" --remove 1 -o small.gguf $endless
    interrupted "prune" SIGTERM prune "$golden/tiny_llama" --remove 1 -o small $endless --json report.json
}
finish

# On a terminal: a bar on stderr that is cleared at the end. Not on one: nothing. Text of a model: control characters, which a
# terminal obeys, as '?'.
. "$(dirname "$0")/lib.sh"
text 60000 >"$base/a.txt"
cat >"$base/bar.py" <<'PYTHON'
import os, pty, subprocess, sys
master, slave = pty.openpty()
p = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=open(sys.argv[1], "wb"), stderr=slave)
os.close(slave)
seen = b""
try:
    while piece := os.read(master, 4096):
        seen += piece
except OSError:
    pass
assert p.wait() == 0, p.returncode
assert b"layers" in seen and b"\r" in seen, "no bar: %r" % seen[-200:]
assert seen.endswith(b"\r\x1b[K"), "not cleared: %r" % seen[-60:]
assert b"\n" not in seen, "more than the bar: %r" % seen[:200]
PYTHON
python3 "$base/bar.py" "$base/out" "$shortgpt" score "$golden/tiny_llama.gguf" --text "$base/a.txt" --tokens 100000 --window 32 --json - \
    >"$base/why" 2>&1 || fail "$(tail -n 1 "$base/why")"
json "stdout beside the bar" "$base/out" "j['schema'] == 'shortgpt/score/1'"
expect "not a terminal" 0 "" score "$golden/tiny_llama.gguf" --text "$base/a.txt" --tokens 100000 --window 32 --json -
cat >"$base/text.py" <<'PYTHON'
import os, pty, subprocess, sys
command = [*sys.argv[1:], "--prompt", "a\x1b[31m\x07\tb\u009b2J\u00a9\nc", "-n", "1", "--precision", "f32"]
piped = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout
assert piped.startswith("a\x1b[31m\x07\tb\u009b2J\u00a9\nc".encode()), "a pipe gets other bytes: %r" % piped[:60]
master, slave = pty.openpty()
p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.DEVNULL)
os.close(slave)
seen = b""
try:
    while piece := os.read(master, 4096):
        seen += piece
except OSError:
    pass
assert p.wait() == 0, p.returncode
assert "a?[31m?\tb?2J\u00a9\r\nc".encode() in seen, "%r" % seen[:80]
PYTHON
python3 "$base/text.py" "$shortgpt" generate "$golden/tiny_llama.gguf" >"$base/why" 2>&1 || fail "$(tail -n 1 "$base/why")"
finish

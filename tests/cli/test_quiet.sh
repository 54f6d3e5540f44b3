# --quiet prints the essential value alone, and is as right as the full result.
. "$(dirname "$0")/lib.sh"
tiny=$golden/tiny_llama.gguf
text 9000 >"$base/a.txt"
text 5000 >"$base/b.txt"
opts="--text $base/a.txt --window 32 --threads 1"

# out_is NAME TEXT: what the last run printed
out_is() {
    [ "$(cat "$base/out")" = "$2" ] || fail "$1: printed $(head -c 300 "$base/out"), not $2"
}
# of EXPRESSION: its items of the JSON object j in $base/j, a line each
of() {
    python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print("\n".join(str(x) for x in eval(sys.argv[2])))' "$base/j" "$1"
}

expect inspect 0 "" inspect "$tiny" -q
out_is inspect 4
# shellcheck disable=SC2086 # a list of words
{
    expect score 0 "" score "$tiny" $opts --quiet --json "$base/j"
    out_is score "$(of "j['order']")"
    expect eval 0 "" eval "$tiny" "$golden/tiny_llama_tied.gguf" $opts --text "$base/b.txt" -q --json "$base/j"
    out_is eval "$(of "['%.4f' % p['ppl'] for m in j['models'] for p in m['perplexity']]")"
    [ "$(wc -l <"$base/out")" = 4 ] || fail "eval: two models and two texts are four lines"
    expect "eval without" 0 "" eval "$tiny" --without 1 $opts -q
    [ "$(wc -l <"$base/out")" = 2 ] || fail "eval --without: two lines"

    expect "dry run" 0 "" prune "$tiny" --remove 2 $opts -o out.gguf --dry-run -q --json "$base/j"
    out_is "dry run" "$("$shortgpt" score "$tiny" $opts -q | head -n 2 | sort -n | tr '\n' , | sed 's/,$//; s/^0,1$/0-1/; s/^1,2$/1-2/; s/^2,3$/2-3/')"
    nothing_left "dry run"
    expect prune 0 "" prune "$tiny" --remove 2 $opts -o out.gguf -q
    out_is prune out.gguf
}
expect "prune by a list" 0 "" prune "$tiny" --layers 1-2 -o out.gguf --overwrite -q --text unused.txt
out_is "prune by a list" out.gguf
expect "layers come back in" 0 "" prune "$tiny" --layers 2,0-1 -o x.gguf --dry-run -q
out_is "layers come back in" 0-2
expect tokenize 0 "" tokenize "$tiny" -q # also the note that no text was given is not said
"$shortgpt" tokenize "$tiny" --ids 2>/dev/null | cmp -s - "$base/out" || fail "tokenize: not the ids"

# errors are said, and JSON on stdout stays JSON
expect "an error" 1 "missing.gguf" score missing.gguf -q
expect "json on stdout" 0 "" inspect "$tiny" -q --json -
json "json on stdout" "$base/out" "j['schema'] == 'shortgpt/inspect/1'"
expect "pages" 0 "" man -q
[ "$(head -n 1 "$base/out")" = shortgpt ] && [ "$(wc -l <"$base/out")" -ge 8 ] || fail "pages: $(cat "$base/out")"

# a bar is not drawn either
cat >"$base/bar.py" <<'PYTHON'
import os, pty, subprocess, sys
master, slave = pty.openpty()
p = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave)
os.close(slave)
seen = b""
try:
    while piece := os.read(master, 4096):
        seen += piece
except OSError:
    pass
assert p.wait() == 0 and seen == b"", (p.returncode, seen)
PYTHON
text 60000 >"$base/long.txt"
python3 "$base/bar.py" "$shortgpt" score "$tiny" --text "$base/long.txt" --tokens 100000 --window 32 -q >"$base/why" 2>&1 ||
    fail "bar: $(tail -n 1 "$base/why")"
finish

# Sourced by every test_*.sh, which ctest runs as: bash test_x.sh PROGRAM TESTS
# Each runs in an empty folder, with no terminal and nothing on stdin.
set -u
export LC_ALL=C.UTF-8
shortgpt=$1
golden=$2/golden
base=$(mktemp -d)
trap 'rm -rf "$base"' EXIT
mkdir "$base/here"
cd "$base/here" || exit 1
failures=0

fail() {
    echo "FAIL: $*"
    failures=$((failures + 1))
}

# Runs the program: $status, and what it wrote in $base/out and $base/err.
run() {
    status=0
    "$shortgpt" "$@" >"$base/out" 2>"$base/err" </dev/null || status=$?
}

# expect NAME STATUS MESSAGE ARGUMENT...: the exit status, and a part of what is said on stderr (empty: nothing is said).
# Every failure is one line, a second one after wrong usage, and stdout stays empty.
expect() {
    local name=$1 want=$2 message=$3
    shift 3
    run "$@"
    [ "$status" = "$want" ] || fail "$name: exit $status, not $want: $(head -c 300 "$base/err")"
    if [ -z "$message" ]; then
        [ ! -s "$base/err" ] || fail "$name: said $(head -c 300 "$base/err")"
    else
        grep -qF -e "$message" "$base/err" || fail "$name: said \"$(head -c 300 "$base/err")\", not \"$message\""
    fi
    [ "$want" = 0 ] && return
    [ ! -s "$base/out" ] || fail "$name: wrote to stdout"
    local lines=1
    [ "$want" = 2 ] && lines=2
    [ "$(grep -vcE 'shortgpt: (note|warning): ' "$base/err")" = $lines ] || fail "$name: said more than one line: $(head -c 600 "$base/err")"
    grep -q '^shortgpt: ' "$base/err" || fail "$name: does not begin with the program's name"
}

# nothing_left NAME: the folder is as empty as it was.
nothing_left() {
    [ -z "$(ls -A "$base/here")" ] || fail "$1: left $(ls -A "$base/here")"
}

# json NAME FILE EXPRESSION: a Python expression over the object j that must be true.
json() {
    python3 - "$2" "$3" >"$base/why" 2>&1 <<'PYTHON' || fail "$1: $(tail -n 1 "$base/why")"
import json, sys
def no_constant(name):
    raise ValueError(name + " is no JSON")
j = json.load(open(sys.argv[1], encoding="utf-8"), parse_constant=no_constant)
assert eval("(" + sys.argv[2] + ")"), sys.argv[2]
PYTHON
}

# skip REASON: ctest counts 77 as skipped
skip() {
    echo "skip: $(basename "$0" .sh): $1"
    exit 77
}

finish() {
    [ $failures = 0 ] || echo "$failures failures"
    exit $((failures > 0))
}

# text WORDS: a text of about that many words on stdout, always the same
text() {
    awk -v n="$1" 'BEGIN { split("the layer turns a stream of numbers and then another one turns it back again", w, " ")
        for (i = 0; i < n; i++) { x = (x * 1103 + 12345) % 65536; printf "%s%s", w[x % 14 + 1], i % 9 == 8 ? ".\n" : " " } }'
}

# No space left: a small file system of our own, where that is allowed.
. "$(dirname "$0")/lib.sh"
unshare --mount --map-root-user true 2>/dev/null || unshare --mount true 2>/dev/null ||
    skip "unshare --mount is not allowed here (run it as root, or with user namespaces)"
flags=--mount
[ "$(id -u)" = 0 ] || flags="--mount --map-root-user"
mkdir "$base/small"

in_small() { # KIB ARGUMENT...: runs the program in a file system of that size and lists what it left
    local size=$1
    shift
    status=0
    # shellcheck disable=SC2086,SC2016 # a list of words; the inner shell's variables
    unshare $flags bash -c 'mount -t tmpfs -o size=$1k none "$2" || exit 99; cd "$2"; shift 2
        "$@" >../out 2>../err </dev/null; status=$?; ls -A >../left; exit $status' - "$size" "$base/small" "$shortgpt" "$@" || status=$?
    [ $status != 99 ] || skip "mounting a tmpfs is not allowed here"
}
for model in "$golden/tiny_llama" "$golden/tiny_llama.gguf"; do
    out=small
    case $model in *.gguf) out=small.gguf ;; esac
    for size in 8 64 256 480; do
        in_small $size prune "$model" --layers 1 -o $out
        [ $status = 1 ] || fail "$out in $size KiB: exit $status"
        [ ! -s "$base/left" ] || fail "$out in $size KiB: left $(cat "$base/left")"
        [ "$(wc -l <"$base/err")" = 1 ] || fail "$out in $size KiB: said $(cat "$base/err")"
        [ ! -s "$base/out" ] || fail "$out in $size KiB: wrote to stdout"
    done
    in_small 4096 prune "$model" --layers 1 -o $out
    [ $status = 0 ] && [ "$(cat "$base/left")" = $out ] || fail "$out in 4 MiB: exit $status, $(cat "$base/err")"
done
# Space that is there when it is checked and gone when it is needed
python3 "$(dirname "$0")/big_model.py" "$golden/tiny_llama" "$base/big" || fail "big_model.py"
# shellcheck disable=SC2086,SC2016
unshare $flags bash -c 'mount -t tmpfs -o size=300m none "$1" && cd "$1" || exit 99
    "$2" prune "$3" --layers 1 -o small >../out 2>../err </dev/null & pid=$!
    until ls -d .small.shortgpt-* >/dev/null 2>&1 || ! kill -0 $pid 2>/dev/null; do :; done
    fallocate -l 200m filler; wait $pid; status=$?; ls -A >../left; exit $status' - "$base/small" "$shortgpt" "$base/big"
status=$?
[ $status = 1 ] || fail "full in mid-write: exit $status, $(cat "$base/err")"
[ "$(cat "$base/left")" = filler ] || fail "full in mid-write: left $(cat "$base/left")"
grep -qi 'no space' "$base/err" || fail "full in mid-write: said $(cat "$base/err")"
[ ! -s "$base/out" ] || fail "full in mid-write: wrote to stdout"

in_small 4 inspect "$golden/tiny_llama" --json report.json
if [ $status = 0 ]; then # it fitted into the one page
    [ "$(cat "$base/left")" = report.json ] || fail "--json on a full disk: exit 0, left $(cat "$base/left")"
else
    [ $status = 1 ] && [ ! -s "$base/left" ] || fail "--json on a full disk: exit $status, left $(cat "$base/left")"
fi
finish

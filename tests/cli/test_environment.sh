# Colour, SHORTGPT_THREADS, and locales.
. "$(dirname "$0")/lib.sh"
tiny=$golden/tiny_llama.gguf
unset NO_COLOR FORCE_COLOR CLICOLOR_FORCE SHORTGPT_THREADS
escape=$(printf '\033')

# On a pseudo-terminal: what stdout and stderr together said is in $base/seen.
cat >"$base/terminal.py" <<'PYTHON'
import os, pty, subprocess, sys
master, slave = pty.openpty()
p = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
os.close(slave)
with open(sys.argv[1], "wb") as f:
    try:
        while piece := os.read(master, 4096):
            f.write(piece)
    except OSError:
        pass
p.wait()
PYTHON

# name | environment | options | on a terminal | not on one
rows="
by itself                       | TERM=xterm                                | | yes | no
dumb terminal                   | TERM=dumb                                 | | no  | no
no TERM                         | TERM=                                     | | no  | no
NO_COLOR                        | TERM=xterm NO_COLOR=1                     | | no  | no
empty NO_COLOR                  | TERM=xterm NO_COLOR=                      | | yes | no
FORCE_COLOR                     | TERM=xterm FORCE_COLOR=1                  | | yes | yes
CLICOLOR_FORCE                  | TERM=dumb CLICOLOR_FORCE=1                | | yes | yes
CLICOLOR_FORCE is 0             | TERM=xterm CLICOLOR_FORCE=0               | | yes | no
empty FORCE_COLOR               | TERM=xterm FORCE_COLOR=                   | | yes | no
NO_COLOR beats FORCE_COLOR      | TERM=xterm NO_COLOR=1 FORCE_COLOR=1       | | no  | no
always beats NO_COLOR           | TERM=dumb NO_COLOR=1                      | --color=always | yes | yes
never beats FORCE_COLOR         | TERM=xterm FORCE_COLOR=1 CLICOLOR_FORCE=1 | --color never  | no | no
auto is the default             | TERM=xterm                                | --color auto   | yes | no
"
while IFS='|' read -r name environment options terminal file; do
    [ -n "$name" ] || continue
    for arguments in "inspect $tiny" "inspect missing.gguf"; do
        # shellcheck disable=SC2086 # lists of words
        {
            env $environment python3 "$base/terminal.py" "$base/seen" "$shortgpt" $arguments $options
            env $environment "$shortgpt" $arguments $options >"$base/out" 2>&1
        }
        for place in "terminal $terminal seen" "file $file out"; do
            read -r where want got <<<"$place"
            found=no
            grep -q "$escape" "$base/$got" && found=yes
            [ $found = "$want" ] || fail "$(echo $name), $arguments, $where: colour $found, not $want"
        done
    done
done <<<"$rows"

# colour adds escapes and nothing else, so that it never carries meaning alone
text 3000 >"$base/a.txt"
for arguments in "inspect $tiny" "score $tiny --text $base/a.txt --window 32" "eval $tiny --without 1 --text $base/a.txt --window 32" \
    "prune $tiny --layers 1 -o x.gguf --dry-run"; do
    for color in never always; do
        # shellcheck disable=SC2086 # a list of words
        "$shortgpt" $arguments --color $color >"$base/$color" 2>/dev/null || fail "$arguments --color $color failed"
        sed -i "s/$escape\[[0-9;]*m//g; s/^  computed .*//; /tokens\/s /d; /^  speed /d" "$base/$color" # the time
    done
    cmp -s "$base/never" "$base/always" || fail "$arguments: colour changes the text"
done
run score "$tiny" --text "$base/a.txt" --window 32 --color always
grep "$escape\[33m" "$base/out" | grep -q lowest || fail "score: the marked row is not coloured"
run inspect "$tiny" --color always --json -
grep -q "$escape" "$base/out" && fail "JSON is coloured"

# SHORTGPT_THREADS
many="score $tiny --text $base/a.txt --window 32 --json -"
for threads in 1 2; do
    # shellcheck disable=SC2086 # a list of words
    SHORTGPT_THREADS=$threads expect "SHORTGPT_THREADS=$threads" 0 "" $many
done
for threads in 0 -1 abc 2.5 99999999999; do
    # shellcheck disable=SC2086 # a list of words
    SHORTGPT_THREADS=$threads expect "SHORTGPT_THREADS=$threads" 0 "warning: SHORTGPT_THREADS is $threads, expected a whole number" $many
done
# shellcheck disable=SC2086 # a list of words
SHORTGPT_THREADS=abc expect "the option wins" 0 "" $many --threads 1
# shellcheck disable=SC2086
SHORTGPT_THREADS=abc expect "quiet" 0 "" $many -q
SHORTGPT_THREADS=abc expect "a command without threads" 0 "" inspect "$tiny"
SHORTGPT_THREADS='' expect "empty" 0 "" inspect "$tiny"

# A locale whose numbers have a comma: made here, so that every machine has it.
mkdir "$base/locale"
cat >"$base/comma" <<'LOCALE'
comment_char %
escape_char /
LC_NUMERIC
decimal_point ","
thousands_sep "."
grouping 3;3
END LC_NUMERIC
LOCALE
localedef -c -i "$base/comma" "$base/locale/comma" >/dev/null 2>&1
if [ "$(LOCPATH=$base/locale LC_NUMERIC=comma LC_ALL='' bash -c 'printf %.1f 1,5' 2>/dev/null)" = 1,5 ]; then
    for arguments in "inspect $tiny" "eval $tiny --without 1 --text $base/a.txt --window 32" "score $tiny --text $base/a.txt --window 32 --memory 1.5GiB" \
        "eval $tiny --text $base/a.txt --window 32 -q" "prune $tiny --ratio 25.5% -o x.gguf --text $base/a.txt --window 32 --dry-run"; do
        for json in "" "--json -"; do
            # shellcheck disable=SC2086 # a list of words
            {
                LC_ALL=C "$shortgpt" $arguments $json >"$base/c" 2>&1
                env -u LC_ALL LANG=C LOCPATH="$base/locale" LC_NUMERIC=comma "$shortgpt" $arguments $json >"$base/comma.out" 2>&1
            }
            sed -i 's/^  computed .*//; /tokens\/s /d; /^  speed /d; /"turns"/d; /"seconds"/d; /tokens_per_second"/d' "$base/c" "$base/comma.out"
            cmp -s "$base/c" "$base/comma.out" || fail "$arguments $json: differs in a locale with a decimal comma"
        done
    done
else
    echo "skip: no locale with a decimal comma can be made here (localedef)"
fi
nothing_left environment
finish

# Help, version, and every kind of wrong usage.
. "$(dirname "$0")/lib.sh"
tiny=$golden/tiny_llama.gguf

# name | arguments | exit | part of the message
rows="
unknown command        | scoer | 2 | did you mean score?
unknown option         | score M --tokns 5 | 2 | unknown option --tokns; did you mean --tokens?
two commands are near  | tokeniz | 2 | unknown command tokeniz; did you mean tokenize?
help of unknown        | help scroe | 2 | did you mean score?
option of none         | --versoin | 2 | unknown option --versoin; did you mean --version?
no such option of none | --zzzz | 2 | unknown option --zzzz
version's options      | --version --jsn | 2 | --version takes --json and nothing else, but there is --jsn
version to a file      | --version --json x.json | 2 | but there is x.json
two options are near   | prune M --remov 3 --tex a | 2 | unknown option --remov; did you mean --remove?
nearest two            | eval M --toks a | 2 | unknown option --toks; did you mean --tokens or --bos?
later ones are no hint | eval M --limt 3 | 2 | unknown option --limt
color                  | score M --color red | 2 | --color red: expected auto, always or never
no shell               | completion | 2 | completion for which shell? bash, zsh or fish
another shell          | completion csh | 2 | completion csh: expected bash, zsh or fish
two shells             | completion bash zsh | 2 | completion takes one word, but there is a second: zsh
no such page           | man scor | 2 | unknown command scor; did you mean score?
page and quiet         | man score -q | 2 | it takes no COMMAND
quiet has no value     | score M --quiet=1 | 2 | --quiet takes no value
nothing is near        | score M --zzzzzzzz | 2 | unknown option --zzzzzzzz
unknown short option   | score M -x | 2 | unknown option -x
another command's      | score M --remove 3 | 2 | --remove is not an option of score
no model               | score | 2 | MODEL is missing
no model for eval      | eval --tokens 5 | 2 | MODEL is missing
two models             | score M N | 2 | there is a second argument: N
dashes end options     | score M -- --tokens | 2 | there is a second argument: --tokens
value missing          | score M --tokens | 2 | --tokens needs a value: --tokens N
option as value        | score M --tokens --window 5 | 2 | --tokens needs a value
flag with value        | prune M --dry-run=yes | 2 | --dry-run takes no value
given twice            | score M --tokens 5 --tokens 6 | 2 | --tokens is given twice
negative               | score M --tokens -5 | 2 | --tokens -5: expected a whole number from 1
zero                   | score M --window 0 | 2 | --window 0: expected a whole number
fraction               | score M --window=1.5 | 2 | --window 1.5: expected a whole number
too large              | score M --window=99999999999 | 2 | expected a whole number
empty value            | score M --tokens= | 2 | expected a whole number
empty text             | score M --text= | 2 | --text has an empty value
size of nothing        | score M --memory 0 | 2 | --memory 0: expected a size
size of a wrong unit   | score M --memory 5X | 2 | --memory 5X: expected a size such as 5G
negative size          | score M --memory -5G | 2 | expected a size
bos                    | score M --bos maybe | 2 | --bos maybe: expected auto, always or never
precision              | score M --precision f16 | 2 | expected auto, bf16 or f32
stdin twice            | score $tiny --text - --text - | 2 | stdin can be read once
which layers           | prune M -o O | 2 | which layers?
two ways               | prune M --remove 3 --layers 1 -o O | 2 | exclude each other
two to choose          | prune M --remove 3 --ratio 25% -o O | 2 | give only one of --remove N
ratio and plan         | prune M --ratio 25% --plan p -o O | 2 | exclude each other
no out                 | prune M --remove 3 | 2 | -o OUT is missing
method                 | prune M --remove 3 --method best -o O | 2 | --method best: expected bi, relative-magnitude, reverse
methods unknown        | compare $tiny --methods bi,greddy | 2 | there is no method \"greddy\"; did you mean greedy?
methods twice          | compare $tiny --methods bi,bi | 2 | bi is given twice
methods empty part     | compare $tiny --methods bi, | 2 | there is no method
counts descend         | compare $tiny --remove 2..1 | 2 | expected ascending numbers
counts twice           | compare $tiny --remove 1,1 | 2 | expected ascending numbers
counts no number       | compare $tiny --remove 1- | 2 | expected ascending numbers
counts all             | compare $tiny --remove 0..4 | 3 | at least one has to stay
counts huge            | compare $tiny --remove 99999999999999999999 | 3 | at least one has to stay
angular halves         | compare $tiny --methods angular --granularity half --calibration-window 32 | 2 | blocks of whole layers
plan of nothing        | plan M | 2 | how far? give one of --remove N
plan of two            | plan M --remove 3 --target-size 5M | 2 | give only one of --remove N
plan of halves         | plan M --remove 3 --granularity half | 3 | no format keeps a layer without one of its halves
prune of halves        | prune M --remove 3 --granularity half -o O | 3 | no format keeps a layer without one of its halves
plan twice             | plan M --remove 3 -o a --json b | 2 | give one of them
plan over its model    | plan $tiny --remove 1 -o $tiny | 2 | would write into MODEL
increase no percentage | plan $tiny --max-ppl-increase 20 | 2 | expected a number above 0%
increase of nothing    | plan $tiny --max-ppl-increase 0% | 2 | expected a number above 0%
speedup of one         | plan $tiny --target-speedup 1 | 2 | expected a number above 1
stable without number  | plan M --target-size 5M --until-stable | 2 | --until-stable goes with --remove or --ratio
stable greedy          | plan $tiny --remove 1 --until-stable --method greedy | 2 | window by window
remove none            | prune M --remove 0 -o O | 2 | expected a whole number from 1
remove all             | prune $tiny --remove 4 -o O | 3 | leaves none
remove more            | prune $tiny --remove 5 -o O | 3 | leaves none
ratio of none          | prune $tiny --ratio 1% -o O | 2 | 1%
ratio of all           | prune $tiny --ratio 100% -o O | 3 | 100%
ratio without percent  | prune $tiny --ratio 0.25 -o O | 2 | 0.25
layers empty           | prune $tiny --layers= -o O | 2 | empty
layers twice           | prune $tiny --layers 1,1 -o O | 2 | 1
layers descending      | prune $tiny --layers 3-1 -o O | 2 | 3-1
layers overlapping     | prune $tiny --layers 1-2,2 -o O | 2 | 2
layers out of range    | prune $tiny --layers 4 -o O | 2 | 4
layers negative        | prune $tiny --layers -1 -o O | 2 | -1
layers no number       | prune $tiny --layers one -o O | 2 | one
layers open range      | prune $tiny --layers 1- -o O | 2 | 1-
layers trailing comma  | prune $tiny --layers 1, -o O | 2 | comma
layers huge            | prune $tiny --layers 99999999999999999999 -o O | 2 | 99999
layers all             | prune $tiny --layers 0-3 -o O | 3 | all
without and plan       | eval M --without 1 --plan p | 2 | give one of them
without, two models    | eval M N --without 1 | 2 | goes with one MODEL, but there are 2
without out of range   | eval $tiny --without 7 | 2 | 7
without all            | eval $tiny --without 0-3 | 3 | all
tasks without a file   | eval M --tasks piqa | 2 | expected NAME=FILE
compare, no tasks      | compare M --limit 3 | 2 | --limit goes with --tasks
limit without tasks    | eval M --limit 3 | 2 | --limit goes with --tasks
items without tasks    | eval M --items x | 2 | --items goes with --tasks
items to stdout        | eval M --tasks a=b --items - | 2 | expected the name of a file
shots                  | eval M --tasks a=b --shots 6 | 2 | expected 0, 1, 2, 3, 4 or 5
two texts              | tokenize M --text a --text b | 2 | tokenize takes one --text
tokens below window    | score $tiny --tokens 10 --window 20 | 2 | 10
window of one          | score $tiny --window 1 | 2 | window
no such model          | score missing.gguf | 1 | missing.gguf
no such text           | score $tiny --text missing.txt | 1 | missing.txt
json into nowhere      | inspect $tiny --json missing/x.json | 1 | missing/x.json
json into a folder     | inspect $tiny --json / | 1 | /: cannot write
"
while IFS='|' read -r name arguments want message; do
    [ -n "$name" ] || continue
    # shellcheck disable=SC2086 # a list of words
    expect "$(echo $name)" "$(echo $want)" "$(echo $message)" $arguments
done <<<"$rows"

expect "a blank in the list" 2 " 2" prune "$tiny" --layers "1, 2" -o O
run
[ "$status" = 2 ] && [ ! -s "$base/out" ] && grep -q Commands "$base/err" || fail "no arguments: help on stderr, exit 2"
nothing_left "wrong usage"

for arguments in --help -h help "score --help" "help prune" "eval -h" "inspect M --help" "tokenize --help"; do
    # shellcheck disable=SC2086 # a list of words
    expect "$arguments" 0 "" $arguments
    grep -q shortgpt "$base/out" || fail "$arguments: no help on stdout"
    [ "$(awk '{ if (length > w) w = length } END { print w }' "$base/out")" -le 100 ] || fail "$arguments: wider than 100 columns"
done
for command in inspect score plan prune eval compare tokenize completion man; do
    run $command --help
    grep -q '^Examples' "$base/out" && grep -q "^  .*shortgpt $command " "$base/out" || fail "$command --help: no example"
done
expect version 0 "" --version
grep -q '^shortgpt [0-9]' "$base/out" && grep -q oneDNN "$base/out" || fail "version: $(cat "$base/out")"
for arguments in "--version --json" "--version --json -" "--version --json=-" "version --json"; do
    # shellcheck disable=SC2086 # a list of words
    expect "$arguments" 0 "" $arguments
    json "$arguments" "$base/out" "j['schema'] == 'shortgpt/version/1' and set(j) == {'schema', 'version', 'compiler', 'onednn', 'isa', 'kernel', 'native_bf16', 'json_c', 'pcre2'}"
done

if [ -w /dev/full ]; then
    status=0
    "$shortgpt" inspect "$tiny" >/dev/full 2>"$base/err" || status=$?
    [ "$status" = 1 ] && grep -q 'stdout: cannot write' "$base/err" || fail "full stdout: exit $status, $(cat "$base/err")"
fi
status=0
"$shortgpt" inspect "$tiny" >&- 2>"$base/err" || status=$?
[ "$status" = 1 ] || fail "closed stdout: exit $status"
finish

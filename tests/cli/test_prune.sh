# prune in both formats: what is written, what it computes, plans, and OUT in every wrong place.
. "$(dirname "$0")/lib.sh"
text 2000 >"$base/a.txt"
options="--text $base/a.txt --window 32 --precision f32 --bos never"

for model in "$golden/tiny_llama" "$golden/tiny_llama.gguf" "$golden/tiny_llama_tied" "$golden/tiny_llama_tied.gguf"; do
    name=$(basename "$model")
    suffix=
    case $model in *.gguf) suffix=.gguf ;; esac
    layers=4 hidden=64
    case $model in *tied*) layers=5 hidden=48 ;; esac
    out=small$suffix

    expect "$name: dry run" 0 "" prune "$model" --layers 1 -o "$out" --dry-run
    grep -q "Would remove 1 of $layers layers: 1" "$base/out" || fail "$name: dry run says $(cat "$base/out")"
    expect "$name: plan" 0 "" prune "$model" --layers 2,1 -o "$out" --dry-run --json -
    json "$name: plan" "$base/out" "j['schema'] == 'shortgpt/plan/1' and j['remove'] == [1, 2] and j['keep'] == [0, *range(3, $layers)]
        and j['method'] == 'layers' and j['model']['layers'] == $layers and j['model']['hidden'] == $hidden and j['model']['vocab'] == 320
        and len(j['model']['fingerprint']) == 32"
    nothing_left "$name: dry run"

    expect "$name: prune" 0 "" prune "$model" --layers 1-2 -o "$out" --json -
    json "$name: prune" "$base/out" "j['out'] == '$out' and j['remove'] == [1, 2] and j['after']['layers'] == $layers - 2
        and j['before']['parameters'] > j['after']['parameters'] and j['before']['bytes'] > j['after']['bytes'] > 0"
    [ "$(ls -A)" = "$out" ] || fail "$name: prune left $(ls -A)"
    # shellcheck disable=SC2086 # a list of words
    expect "$name: eval without" 0 "" eval "$model" --without 1,2 $options --json "$base/without.json"
    # shellcheck disable=SC2086 # a list of words
    expect "$name: eval of it" 0 "" eval "$out" $options --json "$base/pruned.json"
    json "$name: the same numbers" "$base/pruned.json" "(lambda w: [(p['ppl'], p['ppl_low'], p['ppl_high']) for p in j['models'][0]['perplexity']]
        == [(p['ppl'], p['ppl_low'], p['ppl_high']) for p in w['models'][1]['perplexity']]
        and j['models'][0]['parameters'] == w['models'][1]['parameters'] and j['models'][0]['bytes'] == w['models'][1]['bytes']
        )(json.load(open('$base/without.json')))"

    expect "$name: exists" 2 "$out" prune "$model" --layers 1 -o "$out"
    expect "$name: exists, scoring" 2 "$out" prune "$model" --remove 1 -o "$out" --text "$base/a.txt"
    expect "$name: overwrite" 0 "" prune "$model" --layers 1 -o "$out" --overwrite
    expect "$name: inspect" 0 "" inspect "$out" --json -
    json "$name: inspect" "$base/out" "j['model']['layers'] == $layers - 1"

    # pruned again, and composed to the first original's numbers: layer 2 of 0, 2, 3 is 3
    expect "$name: again" 0 "" prune "$out" --layers 2 -o "again$suffix"
    expect "$name: both at once" 0 "" prune "$model" --layers 1,3 -o "both$suffix"
    # shellcheck disable=SC2086 # a list of words
    expect "$name: eval of both" 0 "" eval "again$suffix" "both$suffix" $options --json -
    json "$name: prune a, then b, is prune a and b" "$base/out" "j['models'][0]['perplexity'] == j['models'][1]['perplexity']"

    # shellcheck disable=SC2086 # a list of words
    expect "$name: by score" 0 "" prune "$model" --remove 1 -o "scored$suffix" $options --json scored.json
    grep -q "Influence of each layer" "$base/out" && grep -q "remove$" "$base/out" && grep -q "Removed 1 of $layers layers" "$base/out" ||
        fail "$name: by score: $(cat "$base/out")"
    # shellcheck disable=SC2086 # a list of words
    expect "$name: score" 0 "" score "$model" $options --json score.json
    json "$name: the lowest goes" scored.json "j['method'] == 'bi' and j['remove'] == json.load(open('score.json'))['order'][:1]"
    # shellcheck disable=SC2086 # a list of words
    expect "$name: ratio" 0 "" prune "$model" --ratio 50% --dry-run -o "x$suffix" $options --json plan.json
    json "$name: ratio" plan.json "len(j['remove']) == 2 and j['method'] == 'bi'"
    expect "$name: by plan" 0 "" prune "$model" --plan plan.json -o "planned$suffix"
    # shellcheck disable=SC2086 # a list of words
    expect "$name: eval by plan" 0 "" eval "$model" --plan plan.json $options --json -
    json "$name: eval by plan" "$base/out" "j['models'][1]['layers'] == $layers - 2"
    expect "$name: useless option" 0 "--tokens has no use with --layers" prune "$model" --layers 1 -o "x$suffix" --tokens 64
    rm -rf "$base/here"/*
done

# The same plan serves the other format, with a note; another shape is refused
expect "plan" 0 "" prune "$golden/tiny_llama.gguf" --layers 1 -o x.gguf --dry-run --json plan.json
expect "plan for the other format" 0 "note: plan.json" prune "$golden/tiny_llama" --plan plan.json -o x
sed 's/"layers": 4/"layers": 5/; s/^    3$/    3, 4/' plan.json >five.json
expect "plan for five layers" 3 "five.json" prune "$golden/tiny_llama" --plan five.json -o y
sed 's/"hidden": 64/"hidden": 65/' plan.json >wide.json
expect "plan for another width" 3 "wide.json" eval "$golden/tiny_llama" --plan wide.json
echo '{"schema": "shortgpt/plan/9"}' >nine.json
run prune "$golden/tiny_llama" --plan nine.json -o y
[ "$status" = 1 ] || [ "$status" = 3 ] || fail "plan of another schema: exit $status"
echo '{"schema": ' >half.json
expect "half a plan" 1 "half.json" prune "$golden/tiny_llama" --plan half.json -o y
expect "no plan" 1 "none.json" prune "$golden/tiny_llama" --plan none.json -o y
rm -rf x ./*.json

# OUT in the wrong place
cp -r "$golden/tiny_llama" model
cp "$golden/tiny_llama.gguf" model.gguf
mkdir -p around/inner
cp -r model around/inner/model
ls -AlR --time-style=full-iso >"$base/before"
expect "OUT is MODEL" 2 "model" prune model --layers 1 -o model --overwrite
expect "OUT is MODEL, spelled otherwise" 2 "model" prune model --layers 1 -o ./around/../model --overwrite
expect "OUT inside MODEL" 2 "model/small" prune model --layers 1 -o model/small
expect "OUT around MODEL" 2 "around" prune around/inner/model --layers 1 -o around --overwrite
expect "OUT is MODEL, gguf" 2 "model.gguf" prune model.gguf --layers 1 -o model.gguf --overwrite
expect "OUT inside MODEL, by score" 2 "model/small" prune model --remove 1 -o model/small --text "$base/a.txt" --window 32
run prune model --layers 1 -o nowhere/deep/small
[ "$status" != 0 ] || fail "OUT in a folder that is not there: exit 0"
run prune model.gguf --layers 1 -o nowhere/small.gguf
[ "$status" != 0 ] || fail "OUT in a folder that is not there: exit 0"
ln -s model link
expect "OUT is a link to MODEL" 2 "link" prune model --layers 1 -o link --overwrite
rm link
ls -AlR --time-style=full-iso >"$base/after"
cmp -s "$base/before" "$base/after" || fail "a refused OUT changed the folder: $(diff "$base/before" "$base/after" | head -5)"

# A report that cannot be written is noticed before OUT is made
if [ -w /dev/full ]; then
    status=0
    "$shortgpt" prune model.gguf --layers 1 -o small.gguf >/dev/full 2>"$base/err" || status=$?
    [ "$status" = 1 ] && [ ! -e small.gguf ] || fail "full stdout: exit $status, $(ls -A)"
fi
expect "json into nowhere" 1 "missing/x.json" prune model.gguf --layers 1 -o small.gguf --json missing/x.json
[ ! -e small.gguf ] || fail "json into nowhere: OUT was made"
finish

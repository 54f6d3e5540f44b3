# The JSON objects and tables of inspect, score, eval and tokenize, in both formats.
. "$(dirname "$0")/lib.sh"
text 3000 >"$base/a.txt"
text 500 | tr a-z A-Z >"$base/b.txt"

for model in "$golden/tiny_llama" "$golden/tiny_llama.gguf" "$golden/tiny_llama_tied" "$golden/tiny_llama_tied.gguf"; do
    name=$(basename "$model")
    format=safetensors
    case $model in *.gguf) format=gguf ;; esac
    layers=4
    case $model in *tied*) layers=5 ;; esac

    expect "$name: inspect" 0 "" inspect "$model" --json -
    json "$name: inspect" "$base/out" "j['schema'] == 'shortgpt/inspect/1' and j['model']['format'] == '$format'
        and j['model']['path'] == '$model' and len(j['layers']) == j['model']['layers'] == $layers
        and sum(l['parameters'] for l in j['layers']) < j['model']['parameters']"
    expect "$name: inspect" 0 "" inspect "$model"
    grep -q "$layers layers" "$base/out" || fail "$name: inspect says $(cat "$base/out")"

    expect "$name: score" 0 "" score "$model" --text "$base/a.txt" --text "$base/b.txt" --window 32 --tokens 70 --precision f32 --bos never --json -
    json "$name: score" "$base/out" "j['schema'] == 'shortgpt/score/1'
        and set(j) >= {'schema', 'model', 'calibration', 'precision', 'layers', 'order', 'chunks', 'seconds', 'tokens_per_second'}
        and set(j['model']) >= {'path', 'format', 'family', 'architecture', 'layers', 'hidden', 'parameters', 'bytes'}
        and set(j['calibration']) >= {'source', 'tokens', 'windows', 'window', 'bos', 'skipped'}
        and all(set(l) >= {'index', 'bi', 'bi_low', 'bi_high', 'relative_magnitude', 'mixer_bi', 'ffn_bi'} for l in j['layers'])
        and [l['index'] for l in j['layers']] == list(range($layers))
        and j['order'] == sorted(range($layers), key=lambda i: (j['layers'][i]['bi'], -i))
        and all(l['bi_low'] <= l['bi'] <= l['bi_high'] for l in j['layers'])
        and j['calibration']['windows'] == 4 and j['calibration']['tokens'] == 128 and j['calibration']['window'] == 32
        and j['calibration']['bos'] is False and j['precision'] == 'f32' and j['model']['family'] == 'llama'"

    expect "$name: one window" 0 "" score "$model" --text "$base/a.txt" --window 32 --tokens 32 --bos always --json -
    json "$name: one window" "$base/out" "j['layers'][0]['bi_low'] is None and j['calibration']['bos'] is True"

    expect "$name: eval" 0 "" eval "$model" --without 1,2 --text "$base/a.txt" --text "$base/b.txt" --window 32 --precision f32 --bos never --json -
    json "$name: eval" "$base/out" "j['schema'] == 'shortgpt/eval/1' and j['precision'] == 'f32'
        and [m['removed'] for m in j['models']] == [[], [1, 2]] and [m['layers'] for m in j['models']] == [$layers, $layers - 2]
        and all(set(m) >= {'path', 'removed', 'layers', 'parameters', 'bytes', 'perplexity', 'tasks'} for m in j['models'])
        and all(set(p) >= {'source', 'window', 'bos', 'tokens', 'ppl', 'ppl_low', 'ppl_high'} for m in j['models'] for p in m['perplexity'])
        and [p['source'] for p in j['models'][1]['perplexity']] == ['$base/a.txt', '$base/b.txt']
        and all(p['tokens'] % 31 == 0 and p['ppl_low'] <= p['ppl'] <= p['ppl_high'] for m in j['models'] for p in m['perplexity'])"

    expect "$name: two models" 0 "" eval "$model" "$golden/tiny_llama" --text "$base/a.txt" --window 32 --json -
    json "$name: two models" "$base/out" "[m['path'] for m in j['models']] == ['$model', '$golden/tiny_llama']"

    expect "$name: ids" 0 "" tokenize "$model" --text "$base/a.txt" --ids --bos never
    grep -vqE '^[0-9]+$' "$base/out" && fail "$name: ids are more than numbers"
    cp "$base/out" "$base/ids"
    expect "$name: tokens" 0 "" tokenize "$model" --text "$base/a.txt" --bos never
    grep -vqE "^[0-9]+$(printf '\t')\".*\"$" "$base/out" && fail "$name: tokens are not 'id, tab, string'"
    cut -f 1 "$base/out" | cmp -s - "$base/ids" || fail "$name: two lists of ids"
    expect "$name: tokens" 0 "" tokenize "$model" --text "$base/a.txt" --bos never --json -
    json "$name: tokens" "$base/out" "j['ids'] == [int(line) for line in open('$base/ids')] and len(j['tokens']) == j['n']"
    expect "$name: bos" 0 "" tokenize "$model" --text "$base/a.txt" --bos always --ids
    tail -n +2 "$base/out" | cmp -s - "$base/ids" || fail "$name: a BOS is put in front once"
done

model=$golden/tiny_llama.gguf
expect "embedded" 0 "" score "$model" --window 32
grep -q embedded "$base/out" || fail "the embedded text is not named"
grep -q 'lowest first: ' "$base/out" || fail "the table has no order"
expect "embedded tokens" 0 "no --text" tokenize "$model" --ids

# --json FILE: the table too, and the file appears whole, through a link, and instead of an old one
echo old >real.json
ln -s real.json link.json
expect "json file" 0 "" score "$model" --text "$base/a.txt" --window 32 --json link.json
grep -q 'lowest first: ' "$base/out" || fail "--json FILE: no table"
json "json file" real.json "j['schema'] == 'shortgpt/score/1'"
[ -L link.json ] || fail "--json FILE: the link was replaced"
[ "$(ls -A)" = "$(printf 'link.json\nreal.json')" ] || fail "--json FILE: left $(ls -A)"
cp real.json before.json
expect "json file, failure" 1 "missing.txt" score "$model" --text missing.txt --json real.json
cmp -s real.json before.json || fail "a failure changed the JSON file"
[ "$(ls -A | wc -l)" = 3 ] || fail "a failure left $(ls -A)"
expect "json to a device" 0 "" inspect "$model" --json /dev/null
[ -c /dev/null ] || fail "/dev/null was replaced"

# Numbers and bars do not follow the locale's radix or character set
LC_ALL=C run score "$model" --text "$base/a.txt" --window 32
LC_ALL=C grep -q '[^ -~]' "$base/out" && fail "not ASCII in the C locale"

# Options: both spellings, and memory in units
expect "spellings" 0 "" score --window=32 --memory 1.5GiB --threads=1 "$model" --text "$base/a.txt" --json=-
json "spellings" "$base/out" "j['calibration']['window'] == 32"
finish

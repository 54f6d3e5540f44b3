# generate: texts of tiny models in both formats, JSON, subsets, seeds, memory, and what is wrong.
. "$(dirname "$0")/lib.sh"
tiny=$golden/tiny_llama
for model in "$tiny" "$tiny.gguf"; do
    name=$(basename "$model")
    expect "$name" 0 "" generate "$model" --prompt "the layer turns" -n 12 --precision f32 --json -
    cp "$base/out" "$base/whole"
    json "$name" "$base/whole" "j['schema'] == 'shortgpt/generate/1' and j['prompt'] == 'the layer turns' and j['tokens'] == len(j['ids']) <= 12
        and j['stop'] in ('tokens', 'end') and j['layers'] == j['layers_in_memory'] == 4 and j['removed'] == [] and j['precision'] == 'f32'
        and set(j) >= {'model', 'text', 'prompt_tokens', 'temperature', 'seed', 'memory', 'prompt_seconds', 'seconds',
        'prompt_tokens_per_second', 'tokens_per_second'}"
    expect "$name: text" 0 "" generate "$model" --prompt "the layer turns" -n 12 --precision f32 -q
    printf '%s\n' "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["text"])' "$base/whole")" >"$base/text"
    printf '%s\n' "$(cat "$base/out")" | cmp -s - "$base/text" || fail "$name: -q prints another text than the JSON has"
    expect "$name: subset" 0 "" generate "$model" --prompt "the layer turns" -n 12 --precision f32 --without 1-2 --json -
    json "$name: subset" "$base/out" "j['removed'] == [1, 2] and j['layers'] == 2 and j['ids'] != json.load(open('$base/whole'))['ids']"
done

# the subset's text is that of the model written without these layers
expect prune 0 "" prune "$tiny.gguf" --layers 1-2 -o "$base/smaller.gguf" -q
expect "written" 0 "" generate "$base/smaller.gguf" --prompt "the layer turns" -n 12 --precision f32 -q
cp "$base/out" "$base/written"
expect "skipped" 0 "" generate "$tiny.gguf" --prompt "the layer turns" -n 12 --precision f32 -q --without 1-2
cmp -s "$base/out" "$base/written" || fail "the text of the written model is another"

# draws follow the seed alone
draw() {
    expect "draw" 0 "" generate "$tiny.gguf" --prompt "the layer" -n 20 --precision f32 --temperature 3 "$@" --json -
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["ids"])' "$base/out"
}
[ "$(draw --seed 5)" = "$(draw --seed 5 --threads 1)" ] || fail "one seed, two texts"
[ "$(draw --seed 5)" != "$(draw --seed 6)" ] || fail "two seeds, one text"

expect table 0 "" generate "$tiny.gguf" --prompt "the layer" -n 3 --without 1
for words in "the layer" "without layers 1" "weights stay in memory" "3 tokens"; do
    grep -qF "$words" "$base/out" || fail "the table does not say \"$words\""
done
# eval --sample: the texts that generate gives, side by side, and in JSON
text 3000 >"$base/a.txt"
expect "sample" 0 "" eval "$tiny.gguf" --without 1-2 --text "$base/a.txt" --window 32 --precision f32 --sample --json "$base/samples"
cp "$base/out" "$base/table"
grep -q '^    before  *after$' "$base/table" || fail "sample: the texts do not stand side by side"
expect "two models" 0 "" eval "$tiny.gguf" "$base/smaller.gguf" --text "$base/a.txt" --window 32 --precision f32 --sample --json "$base/written"
json "two models" "$base/written" "[m['samples'] for m in j['models']] == [m['samples'] for m in json.load(open('$base/samples'))['models']]"
for i in 0 1 2; do
    prompt=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["models"][0]["samples"][int(sys.argv[2])]["prompt"])' "$base/samples" $i)
    grep -qFx "  $prompt" "$base/table" || fail "sample: the table lacks \"$prompt\""
    expect "$prompt" 0 "" generate "$tiny.gguf" --prompt "$prompt" -n 32 --precision f32 --json "$base/whole"
    expect "$prompt" 0 "" generate "$tiny.gguf" --prompt "$prompt" -n 32 --precision f32 --without 1-2 --json "$base/part"
    json "$prompt" "$base/samples" "[m['samples'][$i]['text'] for m in j['models']]
        == [json.load(open(p))['text'] for p in ('$base/whole', '$base/part')] and len(j['models'][0]['samples']) == 3"
done
expect "no sample" 0 "" eval "$tiny.gguf" --text "$base/a.txt" --window 32 --json -
json "no sample" "$base/out" "'samples' not in j['models'][0] and j['models'][0]['speed'] is None"

expect "no prompt" 2 "--prompt" generate "$tiny.gguf"
expect "temperature" 2 "--temperature" generate "$tiny.gguf" --prompt a --temperature warm
expect "all layers" 3 "no model would be left" generate "$tiny.gguf" --prompt a --without 0-3
expect "both" 2 "give one of them" generate "$tiny.gguf" --prompt a --without 1 --plan x
expect "no memory" 1 "MB" generate "$tiny.gguf" --prompt a --memory 1k
nothing_left generate
finish

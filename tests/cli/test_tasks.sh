# eval --tasks: the table, the JSON, the lines of --items, and what --quiet leaves of them.
. "$(dirname "$0")/lib.sh"
model=$golden/tiny_llama
tasks=piqa=$golden/tasks/piqa.jsonl,lambada_openai=$golden/tasks/lambada_openai.json,mmlu=$golden/tasks/mmlu

expect "json" 0 "" eval "$model" --without 1 --tasks "$tasks" --shots 1 --precision f32 --items "$base/items" --json -
json "json" "$base/out" "[m['removed'] for m in j['models']] == [[], [1]] and all(m['perplexity'] == [] for m in j['models'])
    and [t['name'] for t in j['models'][0]['tasks']] == ['piqa', 'lambada_openai', 'mmlu']
    and all(set(t) >= {'name', 'n', 'acc', 'acc_stderr', 'acc_norm', 'acc_norm_stderr', 'chance', 'best_constant', 'perplexity'}
            for m in j['models'] for t in m['tasks'])
    and all('change' in t for t in j['models'][1]['tasks']) and not any('change' in t for t in j['models'][0]['tasks'])
    and set(j['models'][1]['tasks'][0]['change']['acc_norm']) == {'difference', 'low', 'high', 'lost', 'gained', 'p', 'retained'}
    and [s['name'] for s in j['models'][0]['tasks'][2]['subtasks']] == ['small_layers', 'tokens']
    and j['models'][0]['tasks'][2]['shots'] == 1 and j['models'][0]['tasks'][2]['cut'] > 0"
[ "$(wc -l <"$base/items")" = 18 ] || fail "items: $(wc -l <"$base/items") lines, not 2 models x 9 items"
head -n 1 "$base/items" >"$base/first"
json "items" "$base/first" "j['task'] == 'piqa' and j['id'] == '0' and len(j['lls']) == 2 and j['gold'] == 0
    and j['pred'] == max((0, 1), key=lambda i: j['lls'][i]) and j['removed'] == []"

expect "limit" 0 "" eval "$model" --tasks "$tasks" --limit 1 --text <(text 400) --window 32 --json -
json "limit" "$base/out" "[t['n'] for t in j['models'][0]['tasks']] == [1, 1, 2] and len(j['models'][0]['perplexity']) == 1"

expect "quiet" 0 "" eval "$model" "$model.gguf" --tasks "$tasks" -q
[ "$(wc -l <"$base/out")" = 6 ] || fail "quiet: $(cat "$base/out")"

expect "table" 0 "" eval "$model" --without 1 --tasks "$tasks"
grep -q "piqa · 3 items · chance 50.0%" "$base/out" || fail "table: $(cat "$base/out")"
awk 'length > 100' "$base/out" | grep -q . && fail "table: too wide"

# compare: the numbers of eval at each point, and of the whole model beside them though it is not among the counts
options="--text $base/a.txt --window 32 --precision f32"
text 400 >"$base/a.txt"
# shellcheck disable=SC2086 # a list of words
{
    expect "compare" 0 "" compare "$model" --methods reverse,sequential --remove 1,2 --tasks "$tasks" $options --json compare.json --report page.html
    grep -q "piqa · 3 items · chance 50.0%" "$base/out" || fail "compare: no task in $(cat "$base/out")"
    grep -q "Speed without the layers that reverse removes" "$base/out" || fail "compare: no speed in $(cat "$base/out")"
    expect "eval of a point" 0 "" eval "$model" --without 2-3 --tasks "$tasks" $options --json eval.json
    json "speeds" compare.json "[(s['n'], s['removed']) for s in j['speeds']] == [(0, []), (1, [3]), (2, [2, 3])]
        and all(s['speed'][k] > 0 for s in j['speeds'] for k in ('prompt_tokens_per_second', 'tokens_per_second'))
        and j['speeds'][0]['speed']['memory'] > j['speeds'][1]['speed']['memory'] > j['speeds'][2]['speed']['memory']"
    grep -q "Tokens/s written" page.html || fail "compare: the page has no speed"
    json "compare" compare.json "(lambda e: j['tasks'] == e[0]['tasks'] and j['methods'][0]['points'][1]['tasks'] == e[1]['tasks'])(
        json.load(open('eval.json'))['models']) and all(len(p['tasks']) == 3 and all('change' in t for t in p['tasks'])
        for m in j['methods'] for p in m['points']) and j['subsets'] == 4"
    grep -q "<td>piqa</td><td>sequential</td><td>2</td><td>3</td>" page.html || fail "compare: the page has no tasks"
    expect "compare, with 0" 0 "" compare "$model" --methods reverse --remove 0,2 --tasks "$tasks" $options --json - --threads 1 --no-speed
    json "no speed" "$base/out" "j['speeds'] == []"
    json "compare, with 0" "$base/out" "(lambda c: j['tasks'] == c['tasks'] and j['methods'][0]['points'][1] == c['methods'][0]['points'][1])(
        json.load(open('compare.json'))) and j['methods'][0]['points'][0]['tasks'] == j['tasks'] and j['subsets'] == 2"
    # without the halves of layers 2 and 3 is without these layers
    expect "compare, halves" 0 "" compare "$model" --methods reverse --granularity half --remove 4 --tasks "$tasks" $options --json -
    json "compare, halves" "$base/out" "j['methods'][0]['points'][0]['tasks'] == json.load(open('eval.json'))['models'][1]['tasks']"
}
expect "no such file" 1 "missing.jsonl" eval "$model" --tasks piqa=missing.jsonl
expect "another task's file" 1 'is missing' eval "$model" --tasks "hellaswag=$golden/tasks/piqa.jsonl"
finish

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

expect "no such file" 1 "missing.jsonl" eval "$model" --tasks piqa=missing.jsonl
expect "another task's file" 1 'is missing' eval "$model" --tasks "hellaswag=$golden/tasks/piqa.jsonl"
finish

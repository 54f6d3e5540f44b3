# Ways to choose layers: score, plan, prune and compare by each method, and how far each goes.
. "$(dirname "$0")/lib.sh"
tiny=$golden/tiny_llama.gguf
text 6000 >"$base/a.txt"
text 9000 | tail -n +300 >"$base/b.txt"
choose="--text $base/a.txt --window 32 --tokens 512 --precision f32 --bos never"
methods=bi,relative-magnitude,reverse,sequential,random,angular,angular-all,greedy,greedy-kl,bi-greedy

# shellcheck disable=SC2086 # lists of words
{
    # the same sets by plan and by compare, and compare's perplexities are eval's
    expect compare 0 "" compare "$tiny" --methods $methods --remove 0..3 --calibration "$base/a.txt" --calibration-window 32 \
        --calibration-tokens 512 --text "$base/b.txt" --window 64 --tokens 1024 --precision f32 --bos never --json compare.json
    json compare compare.json "j['schema'] == 'shortgpt/compare/1' and ','.join(m['method'] for m in j['methods']) == '$methods'
        and all([p['n'] for p in m['points']] == [0, 1, 2, 3] and all(len(p['removed']) == p['n'] for p in m['points']) for m in j['methods'])
        and j['granularity'] == 'layer' and j['calibration']['tokens'] == 512 and j['calibration']['window'] == 32
        and j['subsets'] == len({tuple(p['removed']) for m in j['methods'] for p in m['points']})
        and len({p['perplexity'][0]['ppl'] for m in j['methods'] for p in m['points'] if p['n'] == 0}) == 1"
    json "reverse and sequential" compare.json "[[p['removed'] for p in m['points']] for m in j['methods']][2:4] ==
        [[[], [3], [2, 3], [1, 2, 3]], [[], [0], [0, 1], [0, 1, 2]]]"
    grep -q "the lowest of its row" "$base/out" || fail "compare: table $(cat "$base/out")"
    for method in ${methods//,/ }; do
        expect "plan $method" 0 "" plan "$tiny" --method $method --remove 2 $choose -o plan.json
        json "plan $method" plan.json "j['schema'] == 'shortgpt/plan/1' and j['method'] == '$method' and j['why'] == '2 layers, as asked'
            and [j['remove']] == [m['points'][2]['removed'] for m in json.load(open('compare.json'))['methods'] if m['method'] == '$method']"
    done
    expect eval 0 "" eval "$tiny" --plan plan.json --text "$base/b.txt" --window 64 --tokens 1024 --precision f32 --bos never --json eval.json
    json "compare's numbers are eval's" eval.json "[(p['ppl'], p['ppl_low']) for m in json.load(open('compare.json'))['methods'][-1:]
        for p in m['points'][2]['perplexity']] == [(p['ppl'], p['ppl_low']) for p in j['models'][1]['perplexity']]"
    json divergence eval.json "(lambda p: 0 < p['kl'] < p['kl_p99'] and 0 <= p['top1'] < 1)(j['models'][1]['perplexity'][0])
        and j['models'][0]['perplexity'][0]['kl'] is None"

    # threads do not change a choice or a divergence
    expect "one thread" 0 "" eval "$tiny" --plan plan.json --text "$base/b.txt" --window 64 --tokens 1024 --precision f32 --bos never \
        --threads 1 --json one.json
    json "one thread" one.json "(lambda but_times: but_times(j) == but_times(json.load(open('eval.json'))))(
        lambda e: [{key: value for key, value in model.items() if key != 'speed'} for model in e['models']])"
    expect "greedy in one thread" 0 "" compare "$tiny" --methods greedy,greedy-kl,angular-all --remove 3 --calibration "$base/a.txt" --calibration-window 32 \
        --calibration-tokens 512 --text "$base/b.txt" --window 64 --tokens 1024 --precision f32 --bos never --threads 1 --json greedy.json
    json "greedy in one thread" greedy.json "all(p == q for m in j['methods'] for n in json.load(open('compare.json'))['methods']
        if m['method'] == n['method'] for p, q in zip(m['points'], n['points'][3:]))"

    # how far
    expect size 0 "" plan "$tiny" --target-size 450k $choose --json -
    json size "$base/out" "len(j['remove']) == 2 and 'at most 0.5 MB' in j['why']"
    expect "too small" 3 "more than the target" plan "$tiny" --target-size 100k $choose
    expect speed 0 "" plan "$tiny" --target-speedup 1.05 $choose --json -
    json speed "$base/out" "len(j['remove']) >= 1 and 'times as fast' in j['why']"
    expect "too fast" 3 "times as fast, less than 100" plan "$tiny" --target-speedup 100 $choose
    expect "no loss" 3 "no layer can go" plan "$golden/tiny_llama_tied.gguf" --max-ppl-increase 0.0001% --method bi $choose
    for method in bi greedy; do
        expect "loss, $method" 0 "" plan "$tiny" --max-ppl-increase 100000% --method $method $choose --json -
        json "loss, $method" "$base/out" "len(j['remove']) == 3 and 'the most within' in j['why']"
    done
    expect stable 0 "" plan "$tiny" --remove 1 --until-stable --text "$base/a.txt" --window 32 --precision f32 --json stable.json
    json stable stable.json "'; the same in 95%' in j['why'] and 'tokens' in j['why']"
    grep -q "bootstrap" "$base/out" || fail "stable: $(cat "$base/out")"

    # scores
    expect score 0 "" score "$tiny" --method greedy-kl $choose --json -
    json score "$base/out" "j['method'] == 'greedy-kl' and j['order'][0] == json.load(open('compare.json'))['methods'][8]['points'][1]['removed'][0]
        and j['order'] == sorted(range(4), key=lambda i: j['layers'][i]['value'])"
    expect "score, halves" 0 "" score "$tiny" --granularity half $choose --json -
    json "score, halves" "$base/out" "len(j['halves']) == 8 and all(h['value'] == j['layers'][h['layer']][h['half'] + '_bi'] for h in j['halves'])
        and [h['value'] for h in j['halves']] == sorted(h['value'] for h in j['halves'])"
    expect "compare, halves" 0 "" compare "$tiny" --granularity half --methods bi,greedy --remove 1,7 --calibration-window 32 \
        --calibration-tokens 256 --text "$base/b.txt" --window 64 --tokens 256 --json -
    json "compare, halves" "$base/out" "j['granularity'] == 'half' and all(len(p['removed_mixers']) + len(p['removed_ffns']) == p['n']
        for m in j['methods'] for p in m['points'])"

    # random is drawn by the seed alone
    expect "seed 1" 0 "" plan "$tiny" --method random --remove 2 --seed 1 -q
    first=$(cat "$base/out")
    for seed in 2 3 4 5 6; do
        expect "seed $seed" 0 "" plan "$tiny" --method random --remove 2 --seed $seed -q
        [ "$(cat "$base/out")" = "$first" ] || other=1
    done
    [ "${other:-}" = 1 ] || fail "random: six seeds give the same layers"

    expect prune 0 "" prune "$tiny" --method angular --remove 2 $choose -o small.gguf --json prune.json
    json prune prune.json "j['method'] == 'angular' and j['remove'] == json.load(open('compare.json'))['methods'][5]['points'][2]['removed']"
    expect "no memory for angles" 1 "angles between all layer boundaries" plan "$tiny" --method angular --remove 2 --memory 1k $choose
    expect quiet 0 "" compare "$tiny" --methods reverse --remove 2 -q --text "$base/b.txt" --window 64 --tokens 256
    grep -qE "^reverse	2	[0-9.]+$" "$base/out" || fail "quiet: $(cat "$base/out")"
}
finish

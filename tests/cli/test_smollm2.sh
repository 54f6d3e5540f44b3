# The main job on a real model, against what transformers computes (golden/smollm2.json, made by golden/make_smollm2.py).
. "$(dirname "$0")/lib.sh"
model=${SHORTGPT_TEST_MODEL:-}
[ -f "$model" ] || skip "SHORTGPT_TEST_MODEL names no file; scripts/model.sh downloads SmolLM2-135M-Instruct and prints its path"
g="json.load(open('$golden/smollm2.json'))"

for precision in f32 bf16; do
    if [ $precision = bf16 ] && ! "$shortgpt" --version | grep -q 'auto is bf16'; then
        echo "skip: bf16: this processor has none"
        continue
    fi
    relative=0.005 perplexity=0.003
    [ $precision = f32 ] || relative=0.02 perplexity=0.006
    expect "score" 0 "" score "$model" --bos never --precision $precision --json score.json
    json "score in $precision" score.json "j['calibration']['tokens'] == ${g}['score']['tokens'] and all(
        abs(a['bi'] - b['bi']) <= max($relative * b['bi'], 2e-4) for a, b in zip(j['layers'], ${g}['score']['layers']))"
    expect "eval" 0 "" eval "$model" --without 14,17,25 --bos never --precision $precision --json eval.json
    json "eval in $precision" eval.json "(lambda g, p: p[0]['tokens'] == g['predictions']
        and abs(p[0]['ppl'] / g['perplexity'] - 1) <= $perplexity and abs(p[1]['ppl'] / g['perplexity_removed'] - 1) <= $perplexity
        )(${g}['eval'], [m['perplexity'][0] for m in j['models']])"
done
expect "tokens" 0 "no --text" tokenize "$model" --bos never --json tokens.json
json "tokens" tokens.json "j['ids'] == ${g}['score']['ids']"
finish

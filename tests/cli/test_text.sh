# Texts: stdin, not UTF-8, too short, BOS, positions.
. "$(dirname "$0")/lib.sh"
model=$golden/tiny_llama.gguf
text 300 >"$base/a.txt"
text 5 >"$base/short.txt"
printf 'good \xff bad' >"$base/latin.txt"
: >"$base/empty.txt"

"$shortgpt" score "$model" --text - --window 32 --json - <"$base/a.txt" >"$base/stdin.json" 2>"$base/err" || fail "stdin: $(cat "$base/err")"
json "stdin" "$base/stdin.json" "j['calibration']['source'] == 'stdin'"
expect "a file" 0 "" score "$model" --text "$base/a.txt" --window 32 --json "$base/file.json"
json "stdin is as good as a file" "$base/stdin.json" "j['layers'] == json.load(open('$base/file.json'))['layers']"
cat "$base/a.txt" | "$shortgpt" tokenize "$model" --text - --ids >"$base/piped" || fail "a pipe"
"$shortgpt" tokenize "$model" --text <(cat "$base/a.txt") --ids >"$base/substituted" || fail "a process substitution"
cmp -s "$base/piped" "$base/substituted" || fail "a pipe and a process substitution differ"

for command in score eval tokenize; do
    expect "$command: not UTF-8" 1 "latin.txt: byte 5 (0xff) is not UTF-8" $command "$model" --text "$base/latin.txt"
    expect "$command: a folder" 1 "$base" $command "$model" --text "$base"
done
expect "too short" 1 "short.txt" score "$model" --text "$base/short.txt" --window 32
expect "one of two is too short" 1 "short.txt" eval "$model" --text "$base/a.txt" --text "$base/short.txt" --window 32
expect "empty" 1 "empty.txt" score "$model" --text "$base/empty.txt" --window 32
expect "empty tokenizes" 0 "" tokenize "$model" --text "$base/empty.txt" --ids --bos never
[ ! -s "$base/out" ] || fail "an empty text has tokens"
expect "too few positions" 3 "128" score "$model" --text "$base/a.txt" --window 129 --bos never
expect "too few positions with a BOS" 3 "128" score "$model" --text "$base/a.txt" --window 128 --bos always
expect "just enough positions" 0 "" score "$model" --text "$base/a.txt" --window 128 --bos never

# A model without a BOS
python3 - "$golden/tiny_llama" "$base/nobos" <<'PYTHON'
import json, os, shutil, sys
shutil.copytree(sys.argv[1], sys.argv[2])
for name in ("config.json", "tokenizer_config.json", "generation_config.json"):
    path = os.path.join(sys.argv[2], name)
    j = json.load(open(path))
    for key in ("bos_token", "bos_token_id", "add_bos_token"):
        j.pop(key, None)
    json.dump(j, open(path, "w"))
PYTHON
expect "no BOS" 3 "BOS" score "$base/nobos" --text "$base/a.txt" --window 32 --bos always
expect "no BOS wanted" 0 "" score "$base/nobos" --text "$base/a.txt" --window 32 --bos auto --json -
json "no BOS wanted" "$base/out" "j['calibration']['bos'] is False"
nothing_left "texts"
finish

# --json FILE never lands on what the command reads or writes otherwise.
. "$(dirname "$0")/lib.sh"
cp "$golden/tiny_llama.gguf" "$base/m.gguf"
cp -r "$golden/tiny_llama" "$base/m"
text 300 >"$base/a.txt"
ln -s a.txt "$base/link.txt"
expect "a plan" 0 "" prune "$base/m.gguf" --layers 1 -o x.gguf --dry-run --json "$base/plan.json"
echo '{"context": "a", "choices": ["b", "c"], "answer": 0}' >"$base/t.json"
before=$(cd "$base" && cat m.gguf m/* a.txt t.json plan.json | cksum)

# name | arguments behind the program's name, @ for the folder | part of the message
rows="
the model          | score @/m.gguf --json @/m.gguf                                   | MODEL
in the model       | inspect @/m --json @/m/config.json                               | MODEL
new in the model   | inspect @/m --json @/m/new.json                                  | MODEL
the second model   | eval @/m @/m.gguf --json @/m.gguf                                | MODEL
by another way     | inspect @/m --json @/here/../m/config.json                       | MODEL
the text           | score @/m.gguf --text @/a.txt --json @/a.txt                     | the text
the text by a link | score @/m.gguf --text @/a.txt --json @/link.txt                  | the text
the plan           | eval @/m.gguf --plan @/plan.json --json @/plan.json              | the plan
OUT                | prune @/m.gguf --layers 1 -o out.gguf --json out.gguf            | OUT
the matrix         | prune @/m.gguf --layers 1 -o @/x.gguf --imatrix @/a.txt --json @/a.txt | the importance matrix
items, the model   | eval @/m @/m.gguf --tasks mine=@/t.json --items @/m.gguf         | MODEL
items, the task    | eval @/m.gguf --tasks mine=@/t.json --items @/t.json             | the task
the task           | eval @/m.gguf --tasks mine=@/t.json --json @/here/../t.json      | the task
in OUT             | prune @/m --layers 1 -o @/here --overwrite --json @/here/r.json  | OUT
"
while IFS='|' read -r name arguments message; do
    [ -n "$name" ] || continue
    # shellcheck disable=SC2086,SC2116 # a list of words; trims
    expect "$(echo $name)" 2 "into $(echo $message)" ${arguments//@/$base}
done <<<"$rows"
[ "$before" = "$(cd "$base" && cat m.gguf m/* a.txt t.json plan.json | cksum)" ] || fail "something was overwritten"
for options in "--json here.json --report $base/here/here.json" "--items here.json --json ./here.json" "--report here.html --items here.html"; do
    # shellcheck disable=SC2086 # a list of words
    expect "one file: $options" 2 "name the same file" eval "$base/m.gguf" --tasks mine="$base/t.json" $options
done
nothing_left "guard"

# A pipe is written to as it is.
"$shortgpt" inspect "$base/m.gguf" --json >(cat >"$base/piped.json") >/dev/null 2>"$base/err" || fail "a pipe: $(cat "$base/err")"
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -s "$base/piped.json" ] && break; sleep 0.2; done
json "a pipe" "$base/piped.json" "j['schema'] == 'shortgpt/inspect/1'"

finish

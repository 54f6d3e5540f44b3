# --json FILE never lands on what the command reads or writes otherwise.
. "$(dirname "$0")/lib.sh"
cp "$golden/tiny_llama.gguf" "$base/m.gguf"
cp -r "$golden/tiny_llama" "$base/m"
text 300 >"$base/a.txt"
ln -s a.txt "$base/link.txt"
expect "a plan" 0 "" prune "$base/m.gguf" --layers 1 -o x.gguf --dry-run --json "$base/plan.json"
before=$(cd "$base" && cat m.gguf m/* a.txt plan.json | cksum)

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
in OUT             | prune @/m --layers 1 -o @/here --overwrite --json @/here/r.json  | OUT
"
while IFS='|' read -r name arguments message; do
    [ -n "$name" ] || continue
    # shellcheck disable=SC2086,SC2116 # a list of words; trims
    expect "$(echo $name)" 2 "into $(echo $message)" ${arguments//@/$base}
done <<<"$rows"
[ "$before" = "$(cd "$base" && cat m.gguf m/* a.txt plan.json | cksum)" ] || fail "something was overwritten"
nothing_left "guard"

# A pipe is written to as it is.
"$shortgpt" inspect "$base/m.gguf" --json >(cat >"$base/piped.json") >/dev/null 2>"$base/err" || fail "a pipe: $(cat "$base/err")"
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -s "$base/piped.json" ] && break; sleep 0.2; done
json "a pipe" "$base/piped.json" "j['schema'] == 'shortgpt/inspect/1'"

finish

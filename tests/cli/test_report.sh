# --report: a page beside the table, with the numbers of --json, written whole or not at all.
. "$(dirname "$0")/lib.sh"
tiny=$golden/tiny_llama.gguf
text 3000 >"$base/a.txt"
cat >"$base/page.py" <<'PYTHON'
import html.parser, json, sys
class Page(html.parser.HTMLParser):
    inside, text, links = False, "", []
    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.inside = attributes.get("id") == "json"
        self.links += [v for k, v in attributes.items() if k in ("src", "href", "xlink:href")]
        assert tag != "script" and not any(k.startswith("on") for k in attributes), tag
    def handle_endtag(self, tag):
        self.inside = False
    def handle_data(self, data):
        self.text += data if self.inside else ""
page = Page()
page.feed(open(sys.argv[1], encoding="utf-8").read())
assert not page.links, page.links
assert json.loads(page.text) == json.load(open(sys.argv[2])), "the page's JSON is another"
PYTHON
same() {
    python3 "$base/page.py" page.html "$2" >"$base/why" 2>&1 || fail "$1: $(tail -n 1 "$base/why")"
}
expect score 0 "" score "$tiny" --text "$base/a.txt" --window 32 --tokens 640 --report page.html --json "$base/j"
grep -q 'lowest first: ' "$base/out" || fail "score: no table"
same score "$base/j"
json "similarity" "$base/j" "len(j['similarity']) == 5 and all(len(r) == 5 for r in j['similarity'])
    and all(abs(j['similarity'][i][i] - 1) < 1e-6 for i in range(5)) and j['similarity'][0][3] == j['similarity'][3][0]
    and all(abs(1 - j['similarity'][i][i + 1] - l['bi']) < 1e-4 for i, l in enumerate(j['layers'])) and j['similarity_positions'] == 640"
expect "no similarity" 0 "" score "$tiny" --text "$base/a.txt" --window 32 --json -
json "no similarity" "$base/out" "'similarity' not in j"
grep -qF -e "--report page.html" page.html || fail "the page does not say its command"
expect eval 0 "" eval "$tiny" --without 1 --text "$base/a.txt" --window 32 --sample --report page.html --json "$base/j"
same eval "$base/j"
json "speed" "$base/j" "all(m['speed'][k] > 0 for m in j['models'] for k in ('prompt_tokens_per_second', 'tokens_per_second', 'memory'))
    and j['models'][1]['speed']['memory'] < j['models'][0]['speed']['memory']"
[ "$(grep -c '<div class="pair">' page.html)" = 3 ] || fail "the page lacks texts"
cp page.html "$base/before"
expect "a failure" 1 "missing.txt" eval "$tiny" --text missing.txt --report page.html
cmp -s page.html "$base/before" || fail "a failure changed the page"
expect "stdout" 2 "--report needs a file" score "$tiny" --report -
expect "the model" 2 "would write into MODEL" score "$tiny" --report "$tiny"
expect "one file" 2 "name the same file" score "$tiny" --report x --json x
rm page.html
nothing_left report
finish

/* The page around a report: style, provenance, the JSON itself. */
#include "report/html.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"
#include "report/put.h"

/* ---- parts ---------------------------------------------------------------------------------------------- */

void sg_html_text(sg_strbuf *b, const char *s)
{
    static const struct {
        char c;
        const char *as;
    } names[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    size_t n = strlen(s), bad;
    for (size_t at = 0; at < n;) {
        unsigned char c = (unsigned char)s[at];
        size_t length = sg_utf8_length(s[at]), i = 0;
        for (; i < SG_ARRAY_LEN(names) && names[i].c != s[at]; i++)
            ;
        bool whole = at + length <= n && sg_utf8_valid(s + at, length, &bad);
        if (i < SG_ARRAY_LEN(names))
            sg_strbuf_puts(b, names[i].as);
        else if (!whole || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            sg_strbuf_puts(b, "\xef\xbf\xbd");
        else
            sg_strbuf_add(b, s + at, length);
        at += whole ? length : 1;
    }
}

void sg_html_label(sg_strbuf *b, const char *s, size_t most)
{
    size_t n = strlen(s), head = most / 3, tail = most - head - 1;
    if (n <= most) {
        sg_html_text(b, s);
        return;
    }
    char part[256];
    while (head && ((unsigned char)s[head] & 0xc0) == 0x80)
        head--;
    while (tail && ((unsigned char)s[n - tail] & 0xc0) == 0x80)
        tail--;
    if (head >= sizeof part || tail >= sizeof part)
        return;
    memcpy(part, s, head);
    part[head] = 0;
    sg_html_text(b, part);
    sg_strbuf_puts(b, "\xe2\x80\xa6");
    sg_html_text(b, s + n - tail);
}

void sg_html_key(sg_strbuf *b, const char *key)
{
    sg_strbuf_printf(b, "<div><dt>%s</dt><dd>", key);
}

void sg_html_key_end(sg_strbuf *b)
{
    sg_strbuf_puts(b, "</dd></div>\n");
}

void sg_html_table(sg_strbuf *b, const char *caption, const char *const *columns)
{
    sg_strbuf_printf(b, "<div class=\"wide\"><table><caption><span>%s</span></caption>\n<thead><tr>", caption);
    for (size_t i = 0; columns[i]; i++)
        sg_strbuf_printf(b, "<th scope=\"col\">%s</th>", columns[i]);
    sg_strbuf_puts(b, "</tr></thead>\n<tbody>\n");
}

void sg_html_table_end(sg_strbuf *b)
{
    sg_strbuf_puts(b, "</tbody></table></div>\n");
}

void sg_html_cell(sg_strbuf *b, double value, int decimals)
{
    sg_strbuf_puts(b, "<td>");
    if (isfinite(value))
        sg_strbuf_fixed(b, value, decimals);
    else
        sg_strbuf_puts(b, "\xe2\x80\x93");
    sg_strbuf_puts(b, "</td>");
}

double sg_html_number(json_object *obj, const char *key)
{
    json_object *value = sg_json_get(obj, key);
    bool number = json_object_is_type(value, json_type_double) || json_object_is_type(value, json_type_int);
    return number ? json_object_get_double(value) : (double)NAN;
}

const char *sg_html_string(json_object *obj, const char *key)
{
    json_object *value = sg_json_get(obj, key);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

size_t sg_html_length(json_object *list)
{
    return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

json_object *sg_html_item(json_object *list, size_t i)
{
    return i < sg_html_length(list) ? json_object_array_get_idx(list, i) : NULL;
}

void sg_html_layers(sg_strbuf *b, json_object *list)
{
    size_t n = sg_html_length(list);
    if (!n)
        sg_strbuf_puts(b, "none");
    for (size_t i = 0, j; i < n; i = j) {
        int first = json_object_get_int(sg_html_item(list, i)), last = first;
        for (j = i + 1; j < n && json_object_get_int(sg_html_item(list, j)) == last + 1; j++)
            last++;
        sg_strbuf_printf(b, "%s%d", i ? ", " : "", first);
        if (last > first)
            sg_strbuf_printf(b, "\xe2\x80\x93%d", last);
    }
}

/* ---- the page ------------------------------------------------------------------------------------------- */

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--a:#0b62c4;--b:#b04a00;"
    "--c:#1a7f37;--d:#8250df;--e:#bf3989;--f:#6e7781;--mark:#fff4d6}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#12161c;--ink:#e6edf3;--soft:#9da7b3;--line:#3a424c;--a:#6cb2ff;"
    "--b:#ffa657;--c:#5bd075;--d:#c9a5ff;--e:#ff8fc7;--f:#aab4be;--mark:#3a3214}}\n"
    "@media print{:root{color-scheme:light;--bg:#fff;--ink:#000;--soft:#444;--line:#bbb;--a:#0b62c4;--b:#b04a00;"
    "--c:#1a7f37;--d:#8250df;--e:#bf3989;--f:#6e7781;--mark:#fff4d6}figure,table{break-inside:avoid}"
    "details{display:none}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:72rem;padding:1.5rem 1rem 4rem;background:var(--bg);"
    "color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
    "h1{font-size:1.6rem;line-height:1.2;margin:0 0 .3rem}h2{font-size:1.2rem;margin:2.2rem 0 .5rem}"
    "p{max-width:44rem}.soft,figcaption,caption{color:var(--soft)}\n"
    "dl{margin:1rem 0}dl div{display:flex;flex-wrap:wrap;gap:0 1rem;border-top:1px solid var(--line);padding:.3rem 0}"
    "dt{flex:0 0 9rem;color:var(--soft)}dd{margin:0;flex:1 1 16rem}\n"
    "figure{margin:1rem 0}svg{display:block;width:100%;max-width:40rem;height:auto}"
    "figcaption,caption{font-size:.9rem;text-align:left;margin:.4rem 0}\n"
    "svg text{font:13px system-ui,sans-serif;fill:var(--ink)}svg .soft{fill:var(--soft)}"
    "svg .grid{stroke:var(--line);fill:none}svg .strong{font-weight:700}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem;width:100%"
    "}"
    "caption{padding:.2rem 0}caption span{display:block;position:sticky;left:0;width:min(100%,70rem,100vw "
    "- 2rem)}th,td{padding:.25rem .45rem;text-align:right;border-bottom:1px solid var(--line);"
    "overflow-wrap:normal}th{vertical-align:bottom}th:first-child,td:first-child{text-align:left;min-width:6rem}"
    "tr.strong{background:var(--mark)}\n"
    ".pair{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr))}"
    ".pair div{border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem;white-space:pre-wrap}"
    "pre{overflow:auto;max-height:30rem;font-size:.8rem;border:1px solid var(--line);padding:.6rem}"
    "code{font-size:.92em}\n"
    "@media print{.wide{overflow:visible}table{font-size:.68rem}th,td{padding:.1rem .2rem}"
    "th:first-child,td:first-child{min-width:0}}\n";

static void put_origin(sg_strbuf *b, json_object *model)
{
    sg_html_key(b, "Model");
    sg_html_text(b, sg_html_string(model, "path"));
    sg_html_key_end(b);
    sg_html_key(b, "Fingerprint");
    sg_html_text(b, sg_html_string(model, "fingerprint"));
    sg_html_key_end(b);
}

static void put_provenance(sg_strbuf *b, json_object *obj, const char *command)
{
    json_object *model = sg_json_get(obj, "model"), *models = sg_json_get(obj, "models"),
                *text = sg_json_get(obj, "calibration");
    sg_strbuf_puts(b, "<h2>Where this comes from</h2>\n<dl>\n");
    if (model)
        put_origin(b, model);
    for (size_t i = 0; i < sg_html_length(models); i++) /* eval's; a model without some layers is named once */
        if (!sg_html_length(sg_json_get(sg_html_item(models, i), "removed")))
            put_origin(b, sg_html_item(models, i));
    if (text) {
        sg_html_key(b, "Scored on");
        sg_html_text(b, sg_html_string(text, "source"));
        sg_strbuf_printf(b, ", %.0f tokens in windows of %.0f", sg_html_number(text, "tokens"),
                         sg_html_number(text, "window"));
        sg_html_key_end(b);
    }
    sg_html_key(b, "Computed in");
    sg_html_text(b, sg_html_string(obj, "precision"));
    sg_strbuf_puts(b, ", ");
    sg_put_seconds(b, sg_html_number(obj, "seconds"));
    sg_html_key_end(b);
    sg_html_key(b, "Program");
    sg_strbuf_puts(b, "shortgpt " SG_VERSION);
    sg_html_key_end(b);
    sg_html_key(b, "Command");
    sg_strbuf_puts(b, "<code>");
    sg_html_text(b, command);
    sg_strbuf_puts(b, "</code>");
    sg_html_key_end(b);
    sg_strbuf_puts(b, "</dl>\n");
}

static const struct {
    const char *schema, *title;
    void (*body)(sg_strbuf *b, json_object *obj);
} kinds[] = {
    {"shortgpt/score/1", "Influence of each layer", sg_html_score},
    {"shortgpt/eval/1", "What the smaller model lost", sg_html_eval},
    {"shortgpt/compare/1", "Ways to choose layers, compared", sg_html_compare},
};

int sg_html_report(const char *json, const char *command, char **out, sg_error *err)
{
    json_object *obj;
    int rc = sg_json_parse(&obj, json, strlen(json), "the result", err);
    if (rc)
        return rc;
    size_t kind = 0;
    while (kind < SG_ARRAY_LEN(kinds) && strcmp(sg_html_string(obj, "schema"), kinds[kind].schema) != 0)
        kind++;
    if (kind == SG_ARRAY_LEN(kinds)) {
        rc = sg_fail(err, SG_ERR_USAGE, "there is no report for results of schema \"%.60s\"",
                     sg_html_string(obj, "schema"));
        json_object_put(obj);
        return rc;
    }
    sg_strbuf b = {0};
    sg_strbuf_printf(&b,
                     "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                     "content=\"width=device-width, initial-scale=1\">\n<title>shortgpt: %s</title>\n<style>\n",
                     kinds[kind].title);
    sg_strbuf_puts(&b, style);
    sg_strbuf_printf(&b, "</style>\n</head>\n<body>\n<h1>%s</h1>\n", kinds[kind].title);
    kinds[kind].body(&b, obj);
    put_provenance(&b, obj, command);
    sg_strbuf_puts(&b, "<details><summary>All numbers, as JSON</summary>\n<pre id=\"json\">");
    sg_html_text(&b, json);
    sg_strbuf_puts(&b, "</pre></details>\n</body>\n</html>\n");
    json_object_put(obj);
    return sg_strbuf_finish(&b, out, err);
}

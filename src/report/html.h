/* Pages: HTML and SVG, written from the JSON objects that the commands give, so that their numbers are the same.
 * Whatever comes from a file or the command line goes through sg_html_text. */
#ifndef SG_REPORT_HTML_H
#define SG_REPORT_HTML_H

#include "core/json.h"
#include "core/strbuf.h"

/* s with &, <, > and quotes written out and control characters as U+FFFD; for text and for attributes in quotes. */
void sg_html_text(sg_strbuf *b, const char *s);
/* The same, cut in the middle of long ones, for labels. */
void sg_html_label(sg_strbuf *b, const char *s, size_t most);

/* "<dt>key<dd>", what it is, "</dd>" */
void sg_html_key(sg_strbuf *b, const char *key);
void sg_html_key_end(sg_strbuf *b);
/* A table's head: names up to NULL; the first column is text, the others are numbers. */
void sg_html_table(sg_strbuf *b, const char *caption, const char *const *columns);
void sg_html_table_end(sg_strbuf *b);
/* A cell of a number, "–" when it is none */
void sg_html_cell(sg_strbuf *b, double value, int decimals);

/* Reading the object: NaN, 0, "" or an empty list when absent. */
double sg_html_number(json_object *obj, const char *key);
const char *sg_html_string(json_object *obj, const char *key);
size_t sg_html_length(json_object *list);
json_object *sg_html_item(json_object *list, size_t i); /* NULL: there is none */
/* ", " between the list's numbers, runs as a-b; "none" */
void sg_html_layers(sg_strbuf *b, json_object *list);

/* ---- charts (svg.c): each a figure with title and description ------------------------------------------ */

typedef struct sg_mark { /* NaN: no such */
    double value, low, high;
} sg_mark;

/* task's accuracy `key`, -+ 1.96 of its standard errors, within 0 and 1 */
sg_mark sg_html_accuracy(json_object *task, const char *key);
/* A task's items, accuracies and changes, as the cells of a row. */
void sg_html_task_cells(sg_strbuf *b, json_object *task);
#define SG_HTML_TASK_COLUMNS                                                                                           \
    "Items", "Accuracy", "standard error", "normalised", "standard error", "Change", "95% from", "95% to", "p",        \
        "Retained"
#define SG_HTML_TASK_CAPTION "p is McNemar's, retained is the part of its accuracy above chance"

typedef struct sg_dots_chart { /* a row for each thing, a mark of each series in it */
    const char *title, *description;
    const char *const *series; /* [n_series] */
    int n_series, n_rows;
    const char *const *labels; /* [n_rows] */
    const sg_mark *marks;      /* [n_series][n_rows] */
    const bool *strong;        /* [n_rows] rows that stand out, or NULL */
    bool log;                  /* scale; values that are not positive have no place then */
    int decimals;
} sg_dots_chart;
void sg_svg_dots(sg_strbuf *b, const sg_dots_chart *c);

typedef struct sg_lines_chart { /* a line for each series */
    const char *title, *description, *x_name;
    const char *const *series; /* [n_series] */
    int n_series;
    const int *counts;                 /* [n_series] points of each */
    const double *const *x, *const *y; /* [n_series][counts] */
    int decimals;
} sg_lines_chart;
void sg_svg_lines(sg_strbuf *b, const sg_lines_chart *c); /* y logarithmic */

/* matrix: list of n lists of n numbers; names: "input", "after layer 0" ... */
void sg_svg_heat(sg_strbuf *b, const char *title, const char *description, json_object *matrix);

/* ---- bodies, by schema --------------------------------------------------------------------------------- */

void sg_html_score(sg_strbuf *b, json_object *score);
void sg_html_eval(sg_strbuf *b, json_object *eval);
void sg_html_compare(sg_strbuf *b, json_object *compare);

#endif

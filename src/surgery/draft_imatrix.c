/* An importance matrix for OUT, as a file beside it: OUT's name with .imatrix.gguf, or .imatrix.dat for the older form.
 */
#include <string.h>

#include "checkpoint/imatrix.h"
#include "core/mem.h"
#include "surgery/draft.h"

/* A name without .gguf, and without the number of a set's first file. */
static size_t stem_bytes(const char *name, bool set)
{
    static const char end[] = ".gguf", first[] = "-00001-of-00001";
    size_t n = strlen(name), m = strlen(end);
    if (n > m && strcmp(name + n - m, end) == 0)
        n -= m;
    return set && n > strlen(first) ? n - strlen(first) : n;
}

int sg_draft_imatrix(sg_draft *draft, const sg_cut *cut, const char *path, const char *imatrix, sg_error *err)
{
    bool gguf = false, set = draft->set;
    if (draft->directory)
        return sg_fail(err, SG_ERR_USAGE, "%s: an importance matrix belongs to a GGUF, and MODEL is none", imatrix);
    if (!set && !(draft->files[0].name = sg_path_name(path)))
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for a file name", path);
    draft->set = true;
    draft->imatrix = imatrix;
    sg_strbuf all = {0};
    int rc = sg_imatrix_renumber(&all, &gguf, imatrix, cut->to, cut->plan->layers, err);
    const char *out = draft->files[0].name;
    char *name =
        rc == SG_OK ? sg_asprintf("%.*s.imatrix.%s", (int)stem_bytes(out, set), out, gguf ? "gguf" : "dat") : NULL;
    sg_draft_file *file = name ? sg_draft_add(draft, name) : NULL;
    sg_free(name);
    if (!file) {
        sg_strbuf_free(&all);
        return rc < 0 ? rc : sg_fail(err, SG_ERR_NOMEM, "%s: no memory for it", imatrix);
    }
    file->head = all;
    file->bytes = all.n;
    return SG_OK;
}

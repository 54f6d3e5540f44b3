/* What this build can do, for --version. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <json-c/json_c_version.h>
#include <pcre2.h>

#include "engine/matmul.h"
#include "report/json.h"

#define QUOTED(x) #x
#define QUOTE(x) QUOTED(x)

sg_features sg_get_features(void)
{
    return (sg_features){
        .version = SG_VERSION,
#ifdef __clang__
        .compiler = "clang " __clang_version__,
#else
        .compiler = "gcc " __VERSION__,
#endif
        .onednn = sg_matmul_version(),
        .isa = sg_matmul_isa(),
        .kernel = sg_mm_kernel_name(SG_PRECISION_BF16),
        .json_c = json_c_version(),
        .pcre2 = QUOTE(PCRE2_MAJOR) "." QUOTE(PCRE2_MINOR),
        .native_bf16 = sg_matmul_native_bf16(),
    };
}

int sg_features_json(char **out, sg_error *err)
{
    sg_features f = sg_get_features();
    json_object *obj = json_object_new_object();
    bool ok =
        sg_put_json_string(obj, "schema", "shortgpt/version/1", err) &&
        sg_put_json_string(obj, "version", f.version, err) && sg_put_json_string(obj, "compiler", f.compiler, err) &&
        sg_put_json_string(obj, "onednn", f.onednn, err) && sg_put_json_string(obj, "isa", f.isa, err) &&
        sg_put_json_string(obj, "kernel", f.kernel, err) && sg_put_json_bool(obj, "native_bf16", f.native_bf16, err) &&
        sg_put_json_string(obj, "json_c", f.json_c, err) && sg_put_json_string(obj, "pcre2", f.pcre2, err);
    return sg_report_json_text(obj, ok, out, err);
}

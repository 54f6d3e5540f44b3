/* What this build can do, for --version. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <json-c/json_c_version.h>
#include <pcre2.h>

#include "core/error.h"
#include "engine/matmul.h"

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
        .json_c = json_c_version(),
        .pcre2 = QUOTE(PCRE2_MAJOR) "." QUOTE(PCRE2_MINOR),
        .native_bf16 = sg_matmul_native_bf16(),
    };
}

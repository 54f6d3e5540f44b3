#!/bin/sh
# The main job on a real model: which of 30 layers matter least, without three of them, and what that cost.
set -eu
cd "$(dirname "$0")/.."

mkdir -p build/demo
ln -sf ../../.cache/SmolLM2-135M-Instruct.Q4_1.gguf build/demo/SmolLM2.gguf
PATH=$PWD/build/release:$PATH
cd build/demo

run() {
    printf '\n$ %s\n\n' "$*"
    "$@"
}
run shortgpt inspect SmolLM2.gguf
run shortgpt score SmolLM2.gguf --json scores.json
run shortgpt prune SmolLM2.gguf --remove 3 -o smaller.gguf --overwrite
run shortgpt eval SmolLM2.gguf smaller.gguf --sample

printf '\nThe smaller model is build/demo/smaller.gguf; any program that loads GGUF files runs it.\n'

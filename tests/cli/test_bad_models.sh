# Models that are none, or not ours: one line that names the file, the right exit status, nothing written.
. "$(dirname "$0")/lib.sh"
hf=$golden/tiny_llama
gguf=$golden/tiny_llama.gguf
m=$base/models
mkdir "$m"

: >"$m/empty.gguf"
head -c 3 "$gguf" >"$m/magic.gguf"
head -c 1000 "$gguf" >"$m/header.gguf"
head -c 600000 "$gguf" >"$m/data.gguf"
printf 'GGUF\003\0\0\0\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377' >"$m/huge.gguf"
mkdir "$m/nothing" "$m/bin"
cp "$hf"/*.json "$m/bin"
: >"$m/bin/pytorch_model.bin"
variant() { # NAME: a copy of the HF model to spoil
    cp -r "$hf" "$m/$1"
}
variant noconfig; rm "$m/noconfig/config.json"
variant badconfig; echo '{' >"$m/badconfig/config.json"
variant noweights; rm "$m/noweights/model.safetensors"
variant shortweights; truncate -s 600000 "$m/shortweights/model.safetensors"
variant hugeheader; printf '\377\377\377\377\377\377\377\177{}' >"$m/hugeheader/model.safetensors"
variant family; sed -i 's/"model_type": "llama"/"model_type": "lama", "layer_types": ["a", "b", "c", "d"]/' "$m/family/config.json"
variant gptq; sed -i '1a "quantization_config": {"quant_method": "gptq"},' "$m/gptq/config.json"
variant notype; sed -i 's/"model_type": "llama"/"full_attention_interval": 4/' "$m/notype/config.json"
variant layers; sed -i 's/"num_hidden_layers": 4/"num_hidden_layers": 5/' "$m/layers/config.json"
variant width; sed -i 's/"intermediate_size": 96/"intermediate_size": 97/' "$m/width/config.json"
variant tokenizer; rm "$m/tokenizer/tokenizer.json"
cp -r "$golden/tiny_llama_tied" "$m/shard"
rm "$m/shard/model-00002-of-00003.safetensors"
before=$(cd "$m" && find . | sort | cksum)

# name | model | exit | part of the message
rows="
empty file              | empty.gguf | 1 | empty.gguf
half a magic            | magic.gguf | 1 | magic.gguf
half a header           | header.gguf | 1 | header.gguf
half the data           | data.gguf | 1 | data.gguf
huge counts             | huge.gguf | 1 | huge.gguf
a folder of nothing     | nothing | 3 | nothing
*.bin only              | bin | 3 | .bin
no config.json          | noconfig | 3 | config.json
malformed config.json   | badconfig | 1 | config.json
no weights              | noweights | 3 | noweights
half the weights        | shortweights | 1 | model.safetensors
huge safetensors header | hugeheader | 1 | model.safetensors
unknown family          | family | 3 | lama
a layer too many        | layers | 1 | layers.4
another width           | width | 1 | 97
a shard is missing      | shard | 1 | model-00002-of-00003.safetensors
"
while IFS='|' read -r name model want message; do
    [ -n "$name" ] || continue
    model=$m/$(echo $model)
    suffix=
    case $model in *.gguf) suffix=.gguf ;; esac
    # shellcheck disable=SC2116,SC2086 # trims
    {
        name=$(echo "$name" | sed 's/ *$//') want=$(echo $want) message=$(echo "$message" | sed 's/^ *//; s/ *$//')
        # what is well-formed but does not run can be looked at
        case $name in "unknown family") expect "$name: inspect" 0 "" inspect "$model" ;; *) expect "$name: inspect" "$want" "$message" inspect "$model" ;; esac
        expect "$name: score" "$want" "$message" score "$model" --window 32 --json -
        expect "$name: prune" "$want" "$message" prune "$model" --layers 1 -o "out$suffix"
        expect "$name: eval" "$want" "$message" eval "$gguf" "$model" --window 32
    }
done <<<"$rows"
expect "no tokenizer" 3 "tokenizer.json" score "$m/tokenizer" --window 32
nothing_left "bad models"
# Surgery moves bytes: it needs to know what hangs on a layer's number, not how to run the model
for name in gptq notype; do
    message=$name
    [ $name = gptq ] || message="model_type is missing"
    expect "$name: inspect" 0 "" inspect "$m/$name"
    expect "$name: score" 3 "$message" score "$m/$name" --window 32 --json -
    expect "$name: eval" 3 "$message" eval "$gguf" "$m/$name" --window 32
done
expect "gptq: prune" 0 "" prune "$m/gptq" --layers 1 -o small
rm -r small
expect "no model_type: prune" 3 "full_attention_interval" prune "$m/notype" --layers 1 -o small
expect "no model_type: prune all the same" 0 "" prune "$m/notype" --layers 1 -o small --unknown-family
rm -r small
expect "surgery needs no tokenizer" 0 "" prune "$m/tokenizer" --layers 1 -o small
rm -r small

# A weight that is not a number is an error with the layer's number, never a score
python3 - "$hf" "$m/nan" <<'PYTHON'
import json, shutil, struct, sys
shutil.copytree(sys.argv[1], sys.argv[2])
path = sys.argv[2] + "/model.safetensors"
data = bytearray(open(path, "rb").read())
n = struct.unpack("<Q", data[:8])[0]
at = 8 + n + json.loads(data[8:8 + n])["model.layers.2.mlp.down_proj.weight"]["data_offsets"][0]
data[at:at + 4] = struct.pack("<f", float("nan"))
open(path, "wb").write(data)
PYTHON
text 300 >"$base/a.txt"
expect "NaN weight" 1 "layer 2" score "$m/nan" --text "$base/a.txt" --window 32 --precision f32 --json -
expect "NaN weight: eval" 1 "layer 2" eval "$m/nan" --text "$base/a.txt" --window 32 --precision f32 --json -
expect "NaN weight: prune" 1 "layers.2.mlp.down_proj.weight" prune "$m/nan" --layers 1 -o small
rm -r "$m/nan"
nothing_left "NaN weight"
[ "$before" = "$(cd "$m" && find . | sort | cksum)" ] || fail "something was written into a model"
nothing_left "bad models"
finish

"""big_model.py TINY OUT: tests/golden/tiny_llama with a vocabulary of a million, so that copying it takes a moment (256 MB, most of it
a hole in the file)."""
import json, os, struct, sys

tiny, out = sys.argv[1:]
VOCAB = 1000000
os.mkdir(out)
for name in ("tokenizer.json", "tokenizer_config.json"):
    open(os.path.join(out, name), "wb").write(open(os.path.join(tiny, name), "rb").read())
config = json.load(open(os.path.join(tiny, "config.json")))
config["vocab_size"] = VOCAB
config["tie_word_embeddings"] = True
json.dump(config, open(os.path.join(out, "config.json"), "w"))

data = open(os.path.join(tiny, "model.safetensors"), "rb").read()
n = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + n])
header.pop("__metadata__", None)
header.pop("lm_head.weight", None)
place, end = {}, 0
for name, t in header.items():
    if name == "model.embed_tokens.weight":
        t["shape"][0] = VOCAB
        size = VOCAB * t["shape"][1] * 4
    else:
        size = t["data_offsets"][1] - t["data_offsets"][0]
    place[name] = t["data_offsets"][0], size
    t["data_offsets"] = [end, end + size]
    end += size
text = json.dumps(header).encode()
with open(os.path.join(out, "model.safetensors"), "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text)
    f.truncate(8 + len(text) + end)
    for name, t in header.items():
        if name != "model.embed_tokens.weight":
            f.seek(8 + len(text) + t["data_offsets"][0])
            start = 8 + n + place[name][0]
            f.write(data[start:start + place[name][1]])

"""Texts that HF's `tokenizers` makes of ids, special tokens left out.

    python make_decodes.py

writes, beside itself, tokenizer_decodes.json: [{"name", "base", "decoder", "rows": [[ids, text], ...]}, ...] for the
tokenizers of make_tokenizers.py with a decoder put in. The ids are those of its strings, and some at random: bytes that
are no UTF-8, special tokens, a text's first token in the middle. Of the tokenizers with byte tokens only rows without
U+FFFD are kept: HF shows a whole run of bytes as broken where one of them is, we only what is broken; nor those with an added token that is looked for normalized: HF prints it with the normalizer's
blank in front.
Made with tokenizers 0.23.3.
"""
import json
import os
import random

from tokenizers import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = "\u2581"
REPLACE = {"type": "Replace", "pattern": {"String": MARK}, "content": " "}
LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}


def sequence(*steps):
    return {"type": "Sequence", "decoders": list(steps)}


def metaspace(scheme):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": True}


STRIP = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
FALLBACK, FUSE = {"type": "ByteFallback"}, {"type": "Fuse"}
DECODERS = [
    ("gpt2", "byte level", LEVEL), ("smollm", "byte level", LEVEL), ("llama3", "byte level", LEVEL),
    ("gpt2", "byte level in a sequence", sequence(LEVEL)), ("gpt2", "none", None),
    ("llama", "Llama 2", sequence(REPLACE, FALLBACK, FUSE, STRIP)), ("llama", "Gemma", sequence(REPLACE, FALLBACK, FUSE)),
    ("llama", "Metaspace", metaspace("first")),
    ("unigram", "Metaspace first", metaspace("first")), ("unigram", "Metaspace always", metaspace("always")),
    ("unigram", "Metaspace never", metaspace("never")),
]


def main():
    cases = json.load(open(os.path.join(HERE, "tokenizer_cases.json")))
    rng, out = random.Random(7), []
    for base, name, decoder in DECODERS:
        tok = json.load(open(os.path.join(HERE, f"tokenizer_{base}.json")))
        tok["decoder"] = decoder
        hf = Tokenizer.from_str(json.dumps(tok))
        texts = [ids for ids in cases["base"][base] if len(ids) < 60][::3]
        randoms = [[rng.randrange(hf.get_vocab_size()) for _ in range(rng.randrange(1, 12))] for _ in range(30)]
        added = [t["id"] for t in tok["added_tokens"]]
        mixed = [texts[i % len(texts)][:5] + [rng.choice(added)] + randoms[i][:3] for i in range(12)]
        rows = [[ids, hf.decode(ids, skip_special_tokens=True)] for ids in texts + randoms + mixed if ids]
        if base == "llama":
            normalized = {t["id"] for t in tok["added_tokens"] if t["normalized"]}
            rows = [row for row in rows if "\ufffd" not in row[1] and not normalized & set(row[0])]
        out.append({"name": name, "base": base, "decoder": decoder, "rows": rows})
    with open(os.path.join(HERE, "tokenizer_decodes.json"), "w") as f:
        json.dump(out, f, ensure_ascii=True, separators=(",", ":"))
        f.write("\n")


main()

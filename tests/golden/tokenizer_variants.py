"""Changes to the tiny tokenizers, as (tokenizer, name, change): changes are merges of JSON objects, in which null takes
a key's place and lists are replaced."""
import base64

MARK = "\u2581"
GPT2_STEP = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
RAW_STEP = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def sequence(*steps):
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": list(steps)}}


def split(pattern, behavior="Isolated", invert=False):
    kind = "String" if pattern.startswith("=") else "Regex"
    return {"type": "Split", "pattern": {kind: pattern.lstrip("=")}, "behavior": behavior, "invert": invert}


def byte_level():
    """Steps of byte-level tokenizers, on words that the vocabularies were trained with."""
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

def steps(kind, *inner):
    return {"type": "Sequence", kind: list(inner)}


def normalizers(*inner):
    return {"normalizer": steps("normalizers", *inner)}


def metaspace(scheme, cuts):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": cuts}


def replace(pattern, content):
    kind = "String" if pattern.startswith("=") else "Regex"
    return {"type": "Replace", "pattern": {kind: pattern.lstrip("=")}, "content": content}


# The pre-tokenizers of common models, as their tokenizer.json spells them.
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
KIMI = (r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
        r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|"
        r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
         r"\s+(?!\S)|\s+")
BAILING = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+")
DEEPSEEK3 = ("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
             " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+")
DEEPSEEK_LLM = (  # the letters of Latin, Greek and Cyrillic kind
    "\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373"
    "\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f]+")
CODER_CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
DIGIT = {"type": "Digits", "individual_digits": True}
DIGITS = {"type": "Digits", "individual_digits": False}


def models():
    """Whole pre-tokenizers, on a vocabulary that has merges across every place where they may cut."""
    out = [("dense", name, sequence(*inner)) for name, inner in [
        ("Qwen2", [split(QWEN2), RAW_STEP]),
        ("GPT-4o", [split(O200K), RAW_STEP]),
        ("GPT-4o, removed and inverted", [split(O200K, "Removed", True), RAW_STEP]),
        ("Kimi K2", [split(KIMI), RAW_STEP]),
        ("Bailing", [split(BAILING), RAW_STEP]),
        ("StarCoder", [DIGIT, GPT2_STEP]),
        ("DeepSeek V3", [split(r"\p{N}{1,3}"), split("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"), split(DEEPSEEK3),
                         RAW_STEP]),
        ("DeepSeek Coder", [split(r"[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(CODER_CJK), DIGIT,
                            RAW_STEP]),
        ("DeepSeek LLM", [split("[\r\n]"), split(DEEPSEEK_LLM),
                          split("\\s?[!-/:-~\uff01-\uff0f\u2018-\u201f\u3000-\u3002]+"),
                          split(r"\s+$"), split(CODER_CJK), DIGIT, RAW_STEP]),
        ("Falcon", [{"type": "Punctuation", "behavior": "Contiguous"}, GPT2_STEP, DIGITS, split("[0-9][0-9][0-9]")]),
        ("Aya", [split(r"\d{1,3}(?=(?:\d{3})*\b)"), split(O200K), RAW_STEP]),
        ("SuperBPE", [split(r"\p{N}+"), split(r"(?=(\d{3})+(?!\d))"), RAW_STEP]),
        ("ByteLevel first", [RAW_STEP, split(r" ?\p{L}+")]),
        ("ByteLevel twice", [GPT2_STEP, GPT2_STEP]),
    ]]
    out.append(("dense", "Qwen2 with NFC", normalizers({"type": "NFC"}) | sequence(split(QWEN2), RAW_STEP)))
    out.append(("dense", "nothing", {"pre_tokenizer": None}))
    for pattern in [r"\w+", r"\W+", r"\b", r"\B", r"[\w'-]+", r"[\h]+", r"\p{Han}+|\p{Hiragana}+|\P{Latin}",
                    r"a{1,2}+b?", r"\p{N}{2}?", r"\s{,2}", r"(ab{1,2}+)+", r"[a-z&&[^aeiou]]+", r"[^a-z&&[^aeiou]]+",
                    r"[a[0-9]\s]+", r"[^a[0-9]\s]+", r"(?i)a|b'S", r"(?:(?i)ma|k)x?", r"[\p{L}&&\p{Lu}]|[0-9&&[2-4]]+",
                    r"[\s&&[^\n]]+"]:
        out.append(("dense", pattern, sequence(split(pattern), RAW_STEP)))
    return out


def sentence_piece():
    """Normalizers and Metaspace, on characters with byte fallback."""
    legacy = [{"type": "Prepend", "prepend": MARK}, replace("= ", MARK)]
    out = [
        ("llama", "fuse_unk off", {"model": {"fuse_unk": False}}),
        ("llama", "no byte_fallback", {"model": {"byte_fallback": False}}),
        ("llama", "no byte_fallback, fuse_unk off", {"model": {"byte_fallback": False, "fuse_unk": False}}),
        ("llama", "no unk_token", {"model": {"byte_fallback": False, "unk_token": None}}),
        ("llama", "ignore_merges", {"model": {"ignore_merges": True}}),
        ("llama", "Gemma", {"normalizer": replace("= ", MARK), "pre_tokenizer": split("= ", "MergedWithPrevious")}),
        ("llama", "old Metaspace", {"normalizer": None, "pre_tokenizer": {
            "type": "Metaspace", "replacement": "_", "add_prefix_space": True}}),
        ("llama", "WhitespaceSplit", {"normalizer": None} |
         sequence({"type": "WhitespaceSplit"}, metaspace("always", True))),
        ("llama", "Punctuation", {"normalizer": None} | sequence(metaspace("always", True), {"type": "Punctuation"})),
        ("llama", "Digits, then first", {"normalizer": None} | sequence(DIGIT, metaspace("first", False))),
        ("llama", "put in front, then first", normalizers({"type": "Prepend", "prepend": "ab "}) |
         sequence(split("=b"), metaspace("first", True))),
        ("llama", "Sequences", normalizers(steps("normalizers", {"type": "NFC"}), steps("normalizers")) |
         sequence(steps("pretokenizers", {"type": "WhitespaceSplit"}))),
        ("unigram", "one word", {"normalizer": None, "pre_tokenizer": metaspace("first", False)}),
        ("unigram", "no byte_fallback", {"model": {"byte_fallback": False}}),
        ("unigram", "nothing", {"normalizer": None, "pre_tokenizer": None}),
        ("unigram", "NFKC", {"normalizer": {"type": "NFKC"}}),
        ("unigram", "first", {"pre_tokenizer": metaspace("first", True)}),
    ]
    for scheme in ["always", "first", "never"]:
        for cuts in [True, False]:
            out.append(("llama", f"Metaspace {scheme} {cuts}",
                        {"normalizer": None, "pre_tokenizer": metaspace(scheme, cuts)}))
    for kind in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"]:
        out.append(("llama", kind, normalizers({"type": kind}, *legacy)))
    out.append(("llama", "NFD, StripAccents, first",
                normalizers({"type": "NFD"}, {"type": "StripAccents"}) | {"pre_tokenizer": metaspace("first", True)}))
    for left, right in [(True, False), (False, True), (True, True)]:
        out.append(("llama", f"Strip {left} {right}", {
            "normalizer": {"type": "Strip", "strip_left": left, "strip_right": right},
            "pre_tokenizer": metaspace("first", False)}))
    for pattern, content in [(r"\s+", " "), ("^", ">"), ("a*", "x"), ("(?=b)", "|"), ("=a", ""), ("='", "''"),
                             ("^.", "")]:
        out.append(("llama", f"Replace {pattern} {content}",
                    {"normalizer": replace(pattern, content), "pre_tokenizer": metaspace("first", True)}))
    return out


# Every row of src/tokenizer/gguf_pre.c, by its first name.
PRE = ["llama-bpe", "dbrx", "glm4", "gpt-2", "smollm", "qwen2", "qwen35", "deepseek-llm", "deepseek-coder",
       "deepseek-v3", "spark2_5", "youtu", "falcon", "bloom", "viking", "tekken", "gpt-4o",
       "granite-embed-multi-97m", "tiny_aya", "kimi-k2", "superbpe", "bailingmoe", "seed-coder", "ufakzeka", "afmoe",
       "laguna", "exaone-moe", "minicpm5", "jais-2", "default", "gemma4", "sarvam-moe"]


# ---- a small precompiled character map ------------------------------------------------------------------------

def charsmap(pairs):
    """SentencePiece's map of these replacements: a double array trie (src/tokenizer/charsmap.h), then the texts."""
    texts, offsets = b"", {}
    for to in pairs.values():
        if to not in offsets:
            offsets[to] = len(texts)
            texts += to.encode() + b"\0"
    root = {}
    for text, to in pairs.items():
        node = root
        for byte in text.encode():
            node = node.setdefault(byte, {})
        node[0] = offsets[to]
    units, taken = [0] * 4096, {0}

    def place(node, at):
        base = next(b for b in range(1, 1 << 20) if all(b ^ c not in taken for c in node))
        taken.update(base ^ c for c in node)
        units[at] |= (at ^ base) << 10 | (256 if 0 in node else 0)
        for label, child in node.items():
            units[base ^ label] = (1 << 31 | child) if label == 0 else label
        for label, child in node.items():
            if label:
                place(child, base ^ label)

    place(root, 0)
    n = (max(taken) | 255) + 1
    assert n <= len(units)
    return (4 * n).to_bytes(4, "little") + b"".join(u.to_bytes(4, "little") for u in units[:n]) + texts


def precompiled(blob):
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(blob).decode()}

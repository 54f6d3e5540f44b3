#!/usr/bin/env python3
"""Is a pruned checkpoint, to its real loader, the original with those layers skipped?

    run.py SHORTGPT LLAMA_CPP LOGITS [NAME ...]     (conformance.sh makes the environment)

For every model of cases.py: a tiny random model is made with transformers, and its GGUF (F32) with llama.cpp's
converter; the tool SHORTGPT removes a set of layers; transformers loads the result, or LOGITS runs it through libllama;
the logits are held against those of the original in transformers with the layers skipped (make_families.without). A
line a case, a count at the end; exit status 1 when one failed."""
import argparse
import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "golden"))
import numpy
import torch
import transformers

import cases
import make_families as families
from common import Failed, prune, run_all

LIMIT = {"hf": 1e-5, "gguf": 1e-3}  # of the largest logit



def make(name, entry, tmp):
    """The model below tmp, ids, and the expected logits by (kind, set of layers). Another seed where rounding could
    decide a router."""
    families.OUT = tmp
    meanings = {"hf": None, "gguf": entry.get("as_gguf", (None,))[0]}
    for seed in range(zlib.crc32(name.encode()), 1 << 33):
        generator = torch.Generator().manual_seed(seed + 1)
        ids = torch.randint(families.BASE["vocab_size"], (2, families.TOKENS), generator=generator)
        expected = {}
        try:
            families.make_model(entry, tmp / name, seed)
            for kind, changes in meanings.items():
                for removed in entry["removals"]:
                    model = families.without(families.load(tmp / name, changes), removed)
                    expected[kind, tuple(removed)] = families.streams(model, ids)[1]
            return ids, expected
        except families.Undecided:
            continue


def make_gguf(name, entry, llama_cpp, path):
    plain = path.with_suffix(".plain") if "keys" in entry else path
    with open(os.devnull, "w") as null, contextlib.redirect_stderr(null):
        families.write_gguf(name, entry, llama_cpp, plain, f32=True)
    if "keys" in entry:
        put_keys(plain, path, entry["keys"])


def put_keys(source, target, keys):
    """The file with other records: numbers become u32, lists arrays."""
    import gguf
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture" and field.name not in keys:
            nested = field.types[0] == gguf.GGUFValueType.ARRAY
            element = field.types[-1] if nested else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=element)
    for key, value in keys.items():
        writer.add_array(key, value) if isinstance(value, list) else writer.add_uint32(key, value)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_shape=tensor.data.shape, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@torch.no_grad()
def hf_logits(path, ids):
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        path, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager",
        output_loading_info=True)
    complaints = {key: sorted(map(str, value)) for key, value in info.items() if value}
    if complaints:
        raise Failed(f"transformers loads it with {complaints}")
    return model.eval()(ids).logits


def gguf_logits(path, ids, logits):
    vocabulary = families.BASE["vocab_size"]
    done = subprocess.run([logits, path, *map(str, ids.shape), str(vocabulary)], input=ids.int().numpy().tobytes(),
                          capture_output=True)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-300:]
        raise Failed(f"llama.cpp: {said} (exit status {done.returncode})")
    return torch.from_numpy(numpy.frombuffer(done.stdout, numpy.float32).reshape(*ids.shape, vocabulary).copy())


def run_case(args, name, entry, kind, removed, model, ids, expected):
    out = model.parent / ("out" if kind == "hf" else "out.gguf")
    why = cases.refusal(name, kind, removed, entry["depth"])
    if prune(args.shortgpt, model, removed, out, why):
        return f"refused: {why}"
    got = hf_logits(out, ids) if kind == "hf" else gguf_logits(out, ids, args.logits)
    worst = float((got - expected).abs().max() / expected.abs().max())
    if not worst <= LIMIT[kind]:
        raise Failed(f"{worst:.1e} of the largest logit off, allowed {LIMIT[kind]:.0e}")
    return f"{worst:.0e}"


def run_model(args, name):
    """All cases of a model: (did it pass?, the line)."""
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    entry, lines = cases.models()[name], []

    def note(passed, kind, removed, said):
        shown = ",".join(map(str, removed))
        what = f"{name:21}{kind:6}of {entry['depth']:2} without {shown:15}"
        lines.append((passed, f"{'ok' if passed else 'FAILED':7}{what}{said}"))

    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        try:
            ids, expected = make(name, entry, tmp)
            models = {"hf": tmp / name}
            if "no_gguf" not in entry:
                models["gguf"] = tmp / f"{name}.gguf"
                make_gguf(name, entry, args.llama_cpp, models["gguf"])
        except Exception as error:  # whatever transformers or the converter has to say
            note(False, "-", [], f"cannot be made: {type(error).__name__}: {error}")
            return lines
        for kind, model in models.items():
            for removed in entry["removals"]:
                try:
                    want = expected[kind, tuple(removed)]
                    note(True, kind, removed, run_case(args, name, entry, kind, removed, model, ids, want))
                except Exception as error:
                    note(False, kind, removed, f"{type(error).__name__}: {error}")
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shortgpt", type=Path)
    parser.add_argument("llama_cpp", type=Path)
    parser.add_argument("logits", type=Path)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    args.shortgpt, args.logits = args.shortgpt.resolve(), args.logits.resolve()
    return run_all(parser, run_model, args, list(cases.models()), os.cpu_count())


if __name__ == "__main__":
    sys.exit(main())

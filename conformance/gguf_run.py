#!/usr/bin/env python3
"""Is a pruned GGUF, to llama.cpp, the original with those layers skipped?

    gguf_run.py SHORTGPT LLAMA_CPP LOGITS [NAME ...]

For every row of gguf_families.py: a tiny random model is made with transformers (hf_families.py) and converted to F32 by
llama.cpp's converter; the tool SHORTGPT removes a set of layers. LOGITS runs the result through libllama, and the
original with those layers silenced: all that they add to the residual stream is multiplied by zeros. So the reference is
llama.cpp's own meaning, also where transformers has another. Then the model is pruned before it is converted, which must
give the same file. A line a case, a count at the end; exit status 1 when one failed."""
import argparse
import contextlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy
import torch

import hf
import hf_families
from common import REFUSED, Failed, prune, run_all
from gguf_families import FAMILIES, SETS

LIMIT = 1e-4  # of the largest logit
WINDOWS, TOKENS = 2, 24
# the last matrices of each half of a layer, and their biases
ADDS = re.compile(r"blk\.(\d+)\.(attn_output|ffn_down(_exps|_shexp|_chexps)?|ssm_out|shortconv\.out_proj|time_mix_output|proj|"
                  r"channel_mix_value)\.(weight|bias)$")



# ---- making ----------------------------------------------------------------------------------------------


def row_of(name):
    """The row of hf_families.py as llama.cpp wants it."""
    model_type, keys, options = hf_families.FAMILIES[name]
    entry = FAMILIES[name]
    return model_type, keys | entry.get("config", {}), options | entry.get("options", {})


def convert(path, outfile, entry, vocabulary):
    """By llama.cpp's converter, without a vocabulary; all in F32."""
    import gguf
    from conversion import ModelBase, get_model_class
    with tempfile.TemporaryDirectory() as tmp, torch.inference_mode():
        copy = Path(tmp) / "model"
        shutil.copytree(path, copy)
        (copy / "tokenizer.json").write_text(json.dumps(
            {"model": {"vocab": {str(i): i for i in range(vocabulary)}}, "added_tokens": []}))

        def no_vocabulary(self):
            self.gguf_writer.add_tokenizer_model("no_vocab")
            self.gguf_writer.remove_key(f"{self.gguf_writer.arch}.vocab_size")
            self.gguf_writer.add_vocab_size(vocabulary)

        config = ModelBase.load_hparams(copy, False)
        wants = entry.get("wants", {})
        config |= wants(config) if callable(wants) else wants
        base = get_model_class(config["architectures"][0])
        fresh = {key: {} for key, value in vars(base).items() if isinstance(value, dict)}  # what it gathers would stay in the class
        converter = type(base.__name__, (base,), fresh | {"model_arch": base.model_arch, "set_vocab": no_vocabulary} |
                         ({"no_mtp": True} if entry.get("no_mtp") else {}))
        converter(copy, gguf.LlamaFileType.ALL_F32, Path(outfile), hparams=config).write()


def silence(source, target, removed):
    """The file with zeros in what those layers add."""
    import gguf
    shutil.copyfile(source, target)
    found = set()
    with open(target, "r+b") as file:
        for tensor in gguf.GGUFReader(source).tensors:
            match = ADDS.match(tensor.name)
            if match and int(match[1]) in removed:
                found.add(int(match[1]))
                file.seek(tensor.data_offset)
                file.write(bytes(tensor.n_bytes))
            elif re.match(r"blk\.(\d+)\.layer_output_scale", tensor.name) and int(tensor.name.split(".")[1]) in removed:
                file.seek(tensor.data_offset)
                file.write(numpy.ones(tensor.n_elements, numpy.float32).tobytes())
    if found != set(removed):
        raise Failed(f"what layers {sorted(set(removed) - found)} add is not known here")


# ---- asking ----------------------------------------------------------------------------------------------


def logits(args, path, ids, vocabulary):
    done = subprocess.run([args.logits, path, *map(str, ids.shape), str(vocabulary)], input=ids.tobytes(), capture_output=True)
    if done.returncode:
        raise Failed(f"llama.cpp: {done.stderr.decode(errors='replace').strip()[-300:]} (exit status {done.returncode})")
    return numpy.frombuffer(done.stdout, numpy.float32)


def contents(path):
    import gguf
    reader = gguf.GGUFReader(path)
    records = {f.name: f.contents() for f in reader.fields.values() if not f.name.startswith("GGUF.")}
    return records, {t.name: (t.tensor_type, t.data.tobytes()) for t in reader.tensors}


def compare(pruned, converted, differs):
    """Raises unless the files hold the same, but for names, what the tool writes and what differs says."""
    (records, tensors), (others, other_tensors) = contents(pruned), contents(converted)
    arch = records["general.architecture"]
    allowed = {key.replace("%s", arch) for key in differs}
    for key in sorted(records.keys() | others.keys()):
        if key.startswith("shortgpt.") or key in allowed or key in ("general.name", "general.size_label", "general.basename",
                                                                   "general.finetune", "general.version"):
            continue
        if records.get(key) != others.get(key):
            raise Failed(f"{key}: {str(records.get(key))[:80]}, converted after pruning {str(others.get(key))[:80]}")
    if tensors.keys() != other_tensors.keys():
        raise Failed(f"tensors differ: {sorted(tensors.keys() ^ other_tensors.keys())[:4]}")
    for name, tensor in tensors.items():
        if tensor != other_tensors[name]:
            raise Failed(f"{name} differs from that converted after pruning")


def run_case(args, name, entry, model, removed, tmp, ids, vocabulary):
    out = tmp / "out.gguf"
    why = entry.get("refused", {}).get(removed)
    if prune(args.shortgpt, model, removed, out, why):
        return f"refused: {why}"
    said = "not run"
    if entry.get("adds", True):
        got = logits(args, out, ids, vocabulary)
        silenced = tmp / "silenced.gguf"
        silence(model, silenced, removed)
        want = logits(args, silenced, ids, vocabulary)
        worst = float(abs(got - want).max() / abs(want).max())
        if not worst <= LIMIT:
            raise Failed(f"{worst:.1e} of the largest logit off, allowed {LIMIT:.0e}")
        if abs(want - logits(args, model, ids, vocabulary)).max() < 1e-3 * abs(want).max():
            raise Failed("the layers do nothing")
        said = f"{worst:.0e}"
    if entry.get("same") is False:
        return said
    hf_out, converted = tmp / "hf_out", tmp / "converted.gguf"
    try:
        prune(args.shortgpt, tmp / "hf", removed, hf_out, None)
    except Failed as error:
        if str(error).startswith(f"exit status {REFUSED}:"):
            return f"{said}; refused in config.json"
        raise
    convert(hf_out, converted, entry, vocabulary)
    compare(out, converted, entry.get("differs", {}))
    return f"{said}, converting the pruned gives the same"


def run_model(args, name):
    """All cases of a model: (did it pass?, the line)."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    sys.path[:0] = [p for p in (str(args.llama_cpp / "gguf-py"), str(args.llama_cpp)) if p not in sys.path]
    torch.set_num_threads(1)
    hf.transformers.logging.set_verbosity_error()
    hf.transformers.logging.disable_progress_bar()
    entry, lines = FAMILIES[name], []

    def note(passed, removed, said):
        lines.append((passed, f"{'ok' if passed else 'FAILED':7}{name:21}without {','.join(map(str, removed)):15}{said}"))

    with tempfile.TemporaryDirectory() as tmp, open(os.devnull, "w") as null, contextlib.redirect_stderr(null):
        tmp = Path(tmp)
        seed = zlib.crc32(name.encode())
        try:
            hf.make(row_of(name), tmp / "hf", seed)
            vocabulary = hf_families.BASE["vocab_size"]
            ids = numpy.random.default_rng(seed).integers(vocabulary, size=(WINDOWS, TOKENS), dtype=numpy.int32)
            convert(tmp / "hf", tmp / "model.gguf", entry, vocabulary)
        except Exception as error:  # whatever transformers or the converter has to say
            note(False, [], f"cannot be made: {type(error).__name__}: {str(error)[:300]}")
            return lines
        for removed in ([] if entry.get("only_sets") else SETS) + entry.get("sets", []):
            try:
                note(True, removed, run_case(args, name, entry, tmp / "model.gguf", removed, tmp, ids, vocabulary))
            except Exception as error:
                note(False, removed, f"{type(error).__name__}: {str(error)[:400]}")
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shortgpt", type=Path)
    parser.add_argument("llama_cpp", type=Path)
    parser.add_argument("logits", type=Path)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    args.shortgpt, args.logits, args.llama_cpp = args.shortgpt.resolve(), args.logits.resolve(), args.llama_cpp.resolve()
    return run_all(parser, run_model, args, FAMILIES, os.cpu_count())


if __name__ == "__main__":
    sys.exit(main())

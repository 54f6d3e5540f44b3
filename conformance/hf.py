#!/usr/bin/env python3
"""Is a pruned Hugging Face checkpoint, to transformers, the original with those layers skipped?

    hf.py SHORTGPT [NAME ...]

For every row of hf_families.py: a tiny random model is made; the tool SHORTGPT removes a set of layers; transformers loads
the result, and its logits are held against those of the original in which the removed layers give back what they were
given. A line a case, a count at the end; exit status 1 when one failed."""
import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import save_file

from common import REFUSED, Failed, run_all
from hf_families import BASE, FAMILIES, SETS

LIMIT = 1e-5  # of the largest logit
DEPTH = 8



def configuration(row):
    model_type, keys, options = row
    depth = options.get("depth", DEPTH)
    settings = {"num_hidden_layers": depth} | BASE | keys
    settings = {key: value for key, value in settings.items() if value is not None}
    if {"n_layer", "n_layers", "num_layers"} & set(settings):
        del settings["num_hidden_layers"]
    if "towers" in options:
        return transformers.AutoConfig.for_model(model_type, text_config=settings, **options["towers"])
    return transformers.AutoConfig.for_model(model_type, **settings)


def shake(model):
    """Weights that make every layer count: norms and biases are not all 1 and 0, small ones are larger."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() < 2 or float(p.std()) < 1e-3:
                p.add_(torch.randn_like(p) * 0.1)
            elif float(p.std()) < 0.1 and "embed" not in name:
                p.mul_(0.15 / float(p.std()))
        for name, b in model.named_buffers():
            if "score_correction_bias" in name:
                b.add_(torch.randn_like(b) * 0.1)


def add_next_token_layer(path, depth):
    """A copy of the last layer behind it, as published checkpoints keep the layers that predict further tokens."""
    file = path / "model.safetensors"
    with safe_open(file, "pt") as f:
        tensors = {name: f.get_tensor(name) for name in f.keys()}
    last = f"layers.{depth - 1}."
    tensors |= {name.replace(last, f"layers.{depth}."): t.clone() for name, t in tensors.items() if last in name}
    save_file(tensors, file, metadata={"format": "pt"})


def auto_class(options):
    return transformers.AutoModelForImageTextToText if "towers" in options else transformers.AutoModelForCausalLM


def make(row, path, seed):
    options = row[2]
    torch.manual_seed(seed)
    model = auto_class(options).from_config(configuration(row), attn_implementation="eager")
    shake(model)
    model.save_pretrained(path)
    config = json.loads((path / "config.json").read_text())
    decoder = config["text_config"] if "towers" in options else config
    for key in options.get("drop", []):
        decoder.pop(key, None)
    decoder |= options.get("put", {})
    (path / "config.json").write_text(json.dumps(config, indent=2))
    if options.get("mtp"):
        add_next_token_layer(path, options.get("depth", DEPTH))


def load(path, options):
    auto = auto_class(options)
    keywords = dict(dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    try:
        model, info = auto.from_pretrained(path, experts_implementation="eager", **keywords)
    except (TypeError, ValueError):
        model, info = auto.from_pretrained(path, **keywords)
    return model.eval(), {key: sorted(map(str, value)) for key, value in info.items() if value}


def layers_of(model, depth):
    """The decoder's module list."""
    lists = [m for _, m in model.named_modules() if isinstance(m, torch.nn.ModuleList) and len(m) == depth]
    return max(lists, key=lambda m: sum(p.numel() for p in m.parameters()))


def skip(layer):
    """The layer gives back the stream that it was given."""
    given = []

    def before(_, args, keywords):
        stream = args[0] if args else keywords.get("hidden_states", keywords.get("x"))
        given.append(stream.clone())

    def after(_, args, keywords, output):
        stream = given.pop()
        if isinstance(output, torch.Tensor):
            return stream
        return type(output)([stream, *output[1:]])

    layer.register_forward_pre_hook(before, with_kwargs=True)
    layer.register_forward_hook(after, with_kwargs=True)


@torch.no_grad()
def logits(model, ids):
    return model(ids, use_cache=False).logits


def run_case(args, row, path, out, removed, ids):
    options = row[2]
    listed = ",".join(map(str, removed))
    done = subprocess.run([args.shortgpt, "prune", path, "--layers", listed, "-o", out, *args.more], capture_output=True, text=True)
    said = (done.stderr or done.stdout).strip()
    refused = options.get("refused", {})
    if removed in refused and refused[removed] is not None:
        if done.returncode != REFUSED or refused[removed] not in said:
            raise Failed(f"should be refused ({refused[removed]}); exit status {done.returncode}: {said}")
        if out.exists():
            raise Failed("refused, but the output is there")
        return f"refused: {refused[removed]}"
    if done.returncode == REFUSED and removed in refused:
        return f"refused: {said[-60:]}"
    if done.returncode:
        raise Failed(f"exit status {done.returncode}: {said}")
    reference, complaints = load(path, options)
    depth = options.get("depth", DEPTH)
    layers = layers_of(reference, depth)
    plain = logits(reference, ids)
    for i in removed:
        skip(layers[i])
    expected = logits(reference, ids)
    model, new_complaints = load(out, options)
    for key, names in new_complaints.items():
        if not options.get("mtp") and len(names) > len(complaints.get(key, [])):
            raise Failed(f"transformers loads it with {key}: {names[:4]}")
    got = logits(model, ids)
    largest = expected.abs().max()
    worst = float((got - expected).abs().max() / largest)
    change = float((plain - expected).abs().max() / largest)
    if not change > 1e-3:
        raise Failed(f"the layers make no difference ({change:.0e})")
    if not worst <= LIMIT:
        raise Failed(f"{worst:.1e} of the largest logit off, allowed {LIMIT:.0e}")
    return f"{worst:.0e}"


def run_family(args, name):
    """All cases of a family: (did it pass?, the line)."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    row, lines = FAMILIES[name], []

    def note(passed, removed, said):
        shown = ",".join(map(str, removed))
        lines.append((passed, f"{'ok' if passed else 'FAILED':7}{name:24}of {row[2].get('depth', DEPTH):2} without {shown:12}{said}"))

    with tempfile.TemporaryDirectory() as tmp:
        path = Path(tmp) / name
        generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
        ids = torch.randint(3, BASE["vocab_size"], (2, 16), generator=generator)
        try:
            make(row, path, zlib.crc32(name.encode()))
        except Exception as error:  # whatever transformers has to say
            note(False, [], f"cannot be made: {type(error).__name__}: {str(error)[:300]}")
            return lines
        sets = ([] if row[2].get("only_sets") else SETS) + row[2].get("sets", [])
        for removed in sets:
            out = Path(tmp) / f"out-{'-'.join(map(str, removed))}"
            try:
                note(True, removed, run_case(args, row, path, out, removed, ids))
            except Failed as error:
                note(False, removed, str(error))
            except Exception as error:
                note(False, removed, f"{type(error).__name__}: {str(error)[:300]}")
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shortgpt", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    args.shortgpt, args.more = args.shortgpt.resolve(), []
    return run_all(parser, run_family, args, FAMILIES, args.jobs)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What the methods that choose layers measure, computed with transformers from the tiny models of make_tiny_llama.py.

    python3 make_methods.py          (torch, transformers 5, numpy; no part of shortgpt)

Writes methods.json beside itself, an object for tiny_llama and tiny_llama_tied; everything from float32 weights and
arithmetic, summed in float64, over the windows `ids` of NAME.txt. A unit is half of a layer: 2 i the mixer of layer i,
2 i + 1 its feed-forward.

    angular_last, angular_all   [L + 1][L + 1] mean of arccos(cos(x_i, x_j)) / pi, at the last token and at all
    nll                         mean -log p of the tokens that have a predecessor
    nll_without                 [L] the same without layer i;  nll_without_half [2 L]: without unit i
    kl, kl_p99, top1            [L] of each layer's absence: KL(original || without), 99th percentile (nearest rank), and
                                part of the predictions with the same likeliest token
    greedy, greedy_kl           layers in the order that rounds remove them, until one is left
    half_magnitude              [2 L] mean ||f(x)|| / ||x + f(x)|| of each unit
"""
import json
import os

import numpy as np
import torch
from transformers import LlamaForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))


def read_ids(name):
    for line in open(f"{HERE}/{name}.txt"):
        what, kind, *numbers = line.split()
        if what == "ids":
            *shape, at = map(int, numbers)
            count = int(np.prod(shape))
            return torch.from_numpy(np.fromfile(f"{HERE}/{name}.bin", "<i4", count, offset=at).reshape(shape)).long()


class Without:
    """The model with units gone: a half that adds nothing."""

    def __init__(self, model, units):
        self.handles = []
        for unit in units:
            layer = model.model.layers[unit // 2]
            if unit % 2:
                hook = lambda m, args, out: torch.zeros_like(out)
                self.handles.append(layer.mlp.register_forward_hook(hook))
            else:
                hook = lambda m, args, out: (torch.zeros_like(out[0]), *out[1:])
                self.handles.append(layer.self_attn.register_forward_hook(hook))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for h in self.handles:
            h.remove()


def layer_units(layers):
    return [u for i in layers for u in (2 * i, 2 * i + 1)]


@torch.no_grad()
def log_probs(model, ids, units=()):
    with Without(model, units):
        return model(ids, use_cache=False).logits.double().log_softmax(-1)[:, :-1]


def mean_nll(lp, ids):
    return float(-lp.gather(-1, ids[:, 1:, None]).mean())


def divergence(p, q):
    kl = (p.exp() * (p - q)).sum(-1).flatten()
    rank = -(-len(kl) * 99 // 100)
    same = (p.argmax(-1) == q.argmax(-1)).double().mean()
    return float(kl.mean()), float(kl.sort().values[rank - 1]), float(same)


def greedy(cost, n):
    gone = []
    while len(gone) < n - 1:
        costs = {i: cost(gone + [i]) for i in range(n) if i not in gone}
        low = sorted(costs.values())
        assert len(low) < 2 or low[1] - low[0] > 1e-4, "too near to call"
        gone.append(min(costs, key=costs.get))
    return gone


@torch.no_grad()
def streams(model, ids):
    x, mid = [], []
    hooks = [h for layer in model.model.layers for h in (
        layer.register_forward_pre_hook(lambda m, args: x.append(args[0].clone())),
        layer.post_attention_layernorm.register_forward_pre_hook(lambda m, args: mid.append(args[0].clone())))]
    hooks.append(model.model.norm.register_forward_pre_hook(lambda m, args: x.append(args[0].clone())))
    model(ids, use_cache=False)
    for h in hooks:
        h.remove()
    return torch.stack(x).double(), torch.stack(mid).double()


def make(name):
    model = LlamaForCausalLM.from_pretrained(f"{HERE}/{name}", dtype=torch.float32, attn_implementation="eager").eval()
    ids = read_ids(name)
    L = model.config.num_hidden_layers
    x, mid = streams(model, ids)
    unit = x / x.norm(dim=-1, keepdim=True)
    angles = torch.einsum("iwtd,jwtd->ijwt", unit, unit).clamp(-1, 1).arccos() / torch.pi
    whole = log_probs(model, ids)
    alone = [log_probs(model, ids, layer_units([i])) for i in range(L)]
    kl, p99, top1 = zip(*(divergence(whole, q) for q in alone))
    change = lambda a, b: float(((b - a).norm(dim=-1) / b.norm(dim=-1)).mean())
    nll = lambda gone: mean_nll(log_probs(model, ids, layer_units(gone)), ids)
    far = lambda gone: divergence(whole, log_probs(model, ids, layer_units(gone)))[0]
    return {
        "angular_last": angles[..., -1].mean(-1).triu(1).tolist(),
        "angular_all": angles.mean((-1, -2)).triu(1).tolist(),
        "nll": mean_nll(whole, ids),
        "nll_without": [mean_nll(q, ids) for q in alone],
        "nll_without_half": [mean_nll(log_probs(model, ids, [u]), ids) for u in range(2 * L)],
        "kl": kl, "kl_p99": p99, "top1": top1,
        "greedy": greedy(nll, L), "greedy_kl": greedy(far, L),
        "half_magnitude": [change(mid[u // 2], x[u // 2 + 1]) if u % 2 else change(x[u // 2], mid[u // 2])
                           for u in range(2 * L)],
    }


torch.set_num_threads(1)
with open(f"{HERE}/methods.json", "w") as f:
    json.dump({name: make(name) for name in ("tiny_llama", "tiny_llama_tied")}, f, indent=1)
    f.write("\n")

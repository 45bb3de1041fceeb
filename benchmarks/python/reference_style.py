#!/usr/bin/env python3
"""What one would write to correlate the neurons of two GPT-2 models, without thinking about speed: the style of the research code
of Gurnee et al. (2024), from the description in docs/methods.md and the paper. One pair at a time; both models run over all
tokens, activations are gathered on the CPU as [layer, neuron, token], an einsum for every pair of layers is added to a float64
tensor; for the baseline everything is done again with the second model's activations rotated.

Different from the original on purpose, so that its answers can be compared: activations are float32 and not float16, sums float64,
and the rotation is orthogonal.

usage: reference_style.py CHECKPOINT_A CHECKPOINT_B TOKENS OUT.json [THREADS]
"""

import json
import struct
import sys
import time

import torch

BATCH = 8  # rows


def tensors(path):
    """All tensors of a safetensors file, by name."""
    types = {"F32": torch.float32, "I32": torch.int32, "U8": torch.uint8}
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(data, dtype=types[entry["dtype"]], count=max(1, torch.Size(entry["shape"]).numel()),
                               offset=entry["data_offsets"][0]).view(entry["shape"])
        for name, entry in header.items()
    }


class Gpt2:
    """A plain GPT-2 that keeps the activations of its MLPs."""

    def __init__(self, folder):
        with open(folder + "/config.json") as file:
            config = json.load(file)
        self.layers, self.heads = config["n_layer"], config["n_head"]
        self.w = {name.replace("transformer.", ""): t for name, t in tensors(folder + "/model.safetensors").items()}

    def norm(self, x, name):
        return torch.nn.functional.layer_norm(x, x.shape[-1:], self.w[name + ".weight"], self.w[name + ".bias"], 1e-5)

    def linear(self, x, name):
        return x @ self.w[name + ".weight"] + self.w[name + ".bias"]

    def activations(self, tokens):
        """tokens [batch, pos] -> [layer, neuron, batch * pos]"""
        batch, length = tokens.shape
        h = self.w["wte.weight"][tokens] + self.w["wpe.weight"][:length]
        later = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
        kept = []
        for layer in range(self.layers):
            at = "h.%d." % layer
            qkv = self.linear(self.norm(h, at + "ln_1"), at + "attn.c_attn")
            q, k, v = (t.view(batch, length, self.heads, -1).transpose(1, 2) for t in qkv.chunk(3, -1))
            scores = (q @ k.transpose(2, 3) / q.shape[-1] ** 0.5).masked_fill(later, float("-inf"))
            z = (torch.softmax(scores, -1) @ v).transpose(1, 2).reshape(h.shape)
            h = h + self.linear(z, at + "attn.c_proj")
            x = self.linear(self.norm(h, at + "ln_2"), at + "mlp.c_fc")
            x = 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))
            kept.append(x.reshape(batch * length, -1).t())
            h = h + self.linear(x, at + "mlp.c_proj")
        return torch.stack(kept)


def correlate(a, b, rows, rotations):
    """max over the neurons of b of the correlation of each neuron of a; and the seconds spent outside the models"""
    inside = 0.0
    n, totals = 0, None
    for at in range(0, len(rows), BATCH):
        x = a.activations(rows[at : at + BATCH])
        y = b.activations(rows[at : at + BATCH])
        start = time.perf_counter()
        if rotations is not None:
            y = torch.stack([r @ t for r, t in zip(rotations, y)])
        if totals is None:
            shape = (x.shape[0], x.shape[1], y.shape[0], y.shape[1])
            totals = [torch.zeros(shape[:2], dtype=torch.float64) for _ in range(2)]
            totals += [torch.zeros(shape[2:], dtype=torch.float64) for _ in range(2)]
            totals += [torch.zeros(shape, dtype=torch.float64)]
        n += x.shape[2]
        for into, values in zip(totals[:4], (x, x**2, y, y**2)):
            into += values.double().sum(-1)
        for i in range(x.shape[0]):
            for j in range(y.shape[0]):
                totals[4][i, :, j, :] += torch.einsum("nt,mt->nm", x[i], y[j])
        inside += time.perf_counter() - start
    start = time.perf_counter()
    sx, sxx, sy, syy, sxy = totals
    cov = sxy - sx[:, :, None, None] * sy / n
    rho = cov / ((sxx - sx**2 / n).sqrt()[:, :, None, None] * (syy - sy**2 / n).sqrt())
    best = rho.flatten(2).amax(-1).flatten()
    return best, inside + time.perf_counter() - start


def product_rate():
    """GFLOP/s of a plain product: how good a BLAS this PyTorch has (Debian's default is a slow one; libopenblas0 is fast)"""
    x = torch.randn(512, 512)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        x @ x
        best = min(best, time.perf_counter() - start)
    return 2 * 512**3 / best / 1e9


def main(first, second, tokens, out, threads="1"):
    torch.set_num_threads(int(threads))
    torch.set_grad_enabled(False)
    a, b = Gpt2(first), Gpt2(second)
    rows = tensors(tokens + "/tokens.safetensors")["tokens"].long()
    width = a.w["h.0.mlp.c_fc.weight"].shape[1]
    start = time.perf_counter()
    best, seconds = correlate(a, b, rows, None)
    rotations = [torch.linalg.qr(torch.randn(width, width))[0] for _ in range(b.layers)]
    baseline, more = correlate(a, b, rows, rotations)
    whole = time.perf_counter() - start
    with open(out, "w") as file:
        json.dump({"torch": torch.__version__, "gflops": product_rate(), "seconds": whole, "seconds_correlation": seconds + more,
                   "mean_baseline": baseline.mean().item(), "max_corr": best.tolist()}, file)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])

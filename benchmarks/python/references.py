"""GPT-2 and GPT-NeoX in plain float64, written from the papers' formulas: what the forward kernels are compared with."""
import math

import torch

KINDS = ("gelu by tanh", "gelu", "relu")


class Model:
    """Random weights in the order that the kernels take them, float32 values."""

    def __init__(self, family, seed, layers=3, heads=2, width=16, mlp=40, vocabulary=50, context=24, kind=0, rotated=4,
                 parallel=True, scaled=True, by_layer=False):
        self.family, self.layers, self.heads, self.width, self.mlp = family, layers, heads, width, mlp
        self.vocabulary, self.context, self.kind, self.parallel = vocabulary, context, kind, parallel
        self.rotated, self.scaled, self.by_layer = rotated, scaled, by_layer
        self.epsilon, self.base = 1e-5, 10000.0
        self.random = torch.Generator().manual_seed(seed)
        self.weights = self.draw()

    def normal(self, *size, scale=1.0, around=0.0):
        return torch.randn(*size, generator=self.random) * scale + around

    def projection(self, inputs, outputs):
        size = (inputs, outputs) if self.family == "gpt2" else (outputs, inputs)
        return [self.normal(*size, scale=1.5 / math.sqrt(inputs)), self.normal(outputs, scale=0.1)]

    def norm(self):
        return [self.normal(self.width, scale=0.2, around=1.0), self.normal(self.width, scale=0.1)]

    def draw(self):
        w = [self.normal(self.vocabulary, self.width)]
        if self.family == "gpt2":
            w.append(self.normal(self.context, self.width))
        for _ in range(self.layers):
            w += self.norm() + self.projection(self.width, 3 * self.width) + self.projection(self.width, self.width)
            w += self.norm() + self.projection(self.width, self.mlp) + self.projection(self.mlp, self.width)
        return w + self.norm() + [self.normal(self.vocabulary, self.width)]

    def first(self, layer):
        return (2 if self.family == "gpt2" else 1) + 12 * layer

    def shape(self):
        return torch.tensor([self.layers, self.heads, self.kind, int(self.scaled), int(self.by_layer), int(self.parallel),
                             self.rotated])

    def real(self):
        return torch.tensor([self.epsilon, self.base], dtype=torch.float64)

    def tokens(self, rows, context):
        return torch.randint(0, self.vocabulary, (rows, context), generator=self.random)


class Reference:
    """A forward pass; `hooks` holds every intermediate by its number (transformer.py), `instead` what takes their place."""

    def __init__(self, model, weights=None, instead=None):
        self.model = model
        self.w = weights if weights is not None else [x.double() for x in model.weights]
        self.instead = instead or {}
        self.hooks = {}

    def at(self, number, x):
        x = self.instead[number].expand(x.shape) if number in self.instead else x
        self.hooks[number] = x
        return x

    def embed(self, tokens):
        token = self.at(0, self.w[0][tokens])
        if self.model.family != "gpt2":
            return token
        return token + self.at(1, self.w[1][: tokens.shape[1]].expand(token.shape))

    def norm(self, h, at, point):
        centred = h - h.mean(-1, keepdim=True)
        scale = self.at(point, (centred.pow(2).mean(-1, keepdim=True) + self.model.epsilon).sqrt())
        return self.at(point + 1, centred / scale * self.w[at] + self.w[at + 1])

    def project(self, x, at):
        weight = self.w[at] if self.model.family == "gpt2" else self.w[at].T
        return x @ weight + self.w[at + 1]

    def split(self, x):
        m = self.model
        size = m.width // m.heads
        if m.family == "gpt2":
            return [part.reshape(*x.shape[:2], m.heads, size) for part in x.split(m.width, 2)]
        return [part.squeeze(3) for part in x.reshape(*x.shape[:2], m.heads, 3, size).split(1, 3)]

    def rotate(self, x):
        m = self.model
        if m.family == "gpt2":
            return x
        half = m.rotated // 2
        out = x.clone()
        for pos in range(x.shape[1]):
            for i in range(half):
                angle = pos / m.base ** (2 * i / m.rotated)
                a, b = x[:, pos, :, i], x[:, pos, :, i + half]
                out[:, pos, :, i] = a * math.cos(angle) - b * math.sin(angle)
                out[:, pos, :, i + half] = b * math.cos(angle) + a * math.sin(angle)
        return out

    def attention(self, h, layer):
        m, at, point = self.model, self.model.first(layer), 2 + 19 * layer
        qkv = self.split(self.project(self.norm(h, at, point + 1), at + 2))
        q, k, v = (self.at(point + 3 + i, x) for i, x in enumerate(qkv))
        q, k = self.at(point + 6, self.rotate(q)), self.at(point + 7, self.rotate(k))
        scale = (1 / math.sqrt(m.width // m.heads) if m.scaled else 1.0) / (layer + 1 if m.by_layer else 1)
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) * scale
        later = torch.ones(scores.shape[2:], dtype=torch.bool).triu(1)
        scores = self.at(point + 8, scores.masked_fill(later, -math.inf))
        pattern = self.at(point + 9, torch.softmax(scores, -1))
        z = self.at(point + 10, torch.einsum("bhqk,bkhd->bqhd", pattern, v))
        return self.at(point + 11, self.project(z.reshape(h.shape), at + 4))

    def activation(self, x):
        if self.model.kind == 0:
            return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))
        if self.model.kind == 1:
            return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))
        return x.clamp(min=0)

    def layer(self, h, layer):
        at, point = self.model.first(layer), 2 + 19 * layer
        h = self.at(point, h)
        mid = self.at(point + 12, h + self.attention(h, layer))
        read = h if self.model.family != "gpt2" and self.model.parallel else mid
        pre = self.at(point + 15, self.project(self.norm(read, at + 6, point + 13), at + 8))
        post = self.at(point + 16, self.activation(pre))
        return self.at(point + 18, mid + self.at(point + 17, self.project(post, at + 10)))

    def through(self, h, begin, end):
        for layer in range(begin, end):
            h = self.layer(h, layer)
        return h

    def final(self, h):
        return self.norm(h, len(self.w) - 3, 2 + 19 * self.model.layers)

    def logits(self, tokens):
        return self.final(self.through(self.embed(tokens), 0, self.model.layers)) @ self.w[-1].T

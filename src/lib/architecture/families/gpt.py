"""GPT-2 with the names of transformers, nanoGPT and minGPT."""
import torch
import torch.nn.functional as F
from torch import nn


class Conv1D(nn.Module):
    """A linear layer whose weight lies (inputs, outputs), as GPT-2's files have it."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs).normal_(std=0.02))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class LayerNorm(nn.Module):
    def __init__(self, width, biased, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if biased else None
        self.eps = eps

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


def activation(name):
    """By the names of transformers' configurations; gelu_new is the one by tanh."""
    kinds = {"gelu": nn.GELU(), "gelu_new": nn.GELU("tanh"), "relu": nn.ReLU(), "silu": nn.SiLU()}
    return kinds[name]


def linear(inputs, outputs, turned, biased):
    return Conv1D(inputs, outputs) if turned else nn.Linear(inputs, outputs, bias=biased)


class Attention(nn.Module):
    def __init__(self, width, heads, context, turned, biased, masks):
        super().__init__()
        self.heads = heads
        self.c_attn = linear(width, 3 * width, turned, biased)
        self.c_proj = linear(width, width, turned, biased)
        # Older files keep the mask, and the number that stood for minus infinity.
        if "bias" in masks:
            self.register_buffer("bias", torch.ones(1, 1, context, context))
        if "masked_bias" in masks:
            self.register_buffer("masked_bias", torch.zeros(()))

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.c_attn(x).split(width, dim=2)
        q, k, v = [
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in (q, k, v)
        ]
        x = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(x.transpose(1, 2).reshape(batch, length, width))


class MLP(nn.Module):
    def __init__(self, width, hidden, turned, biased, act):
        super().__init__()
        self.c_fc = linear(width, hidden, turned, biased)
        self.c_proj = linear(hidden, width, turned, biased)
        self.act = activation(act)

    def forward(self, x):
        return self.c_proj(self.act(self.c_fc(x)))


class Block(nn.Module):
    def __init__(self, width, heads, hidden, context, turned, biased, act, eps, masks):
        super().__init__()
        self.ln_1 = LayerNorm(width, biased, eps)
        self.attn = Attention(width, heads, context, turned, biased, masks)
        self.ln_2 = LayerNorm(width, biased, eps)
        self.mlp = MLP(width, hidden, turned, biased, act)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT2(nn.Module):
    """Files without a head still write: `writes` gives logits through the embedding's table."""

    def __init__(self, vocabulary, context, width, depth, heads, hidden, turned=True, biased=True, act="gelu_new",
                 eps=1e-5, masks=(), writes=False):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(context, width)
        self.h = nn.ModuleList(
            Block(width, heads, hidden, context, turned, biased, act, eps, masks) for _ in range(depth)
        )
        self.ln_f = LayerNorm(width, biased, eps)
        self.writes = writes

    def forward(self, tokens):
        """(N, T) to the last layer's states (N, T, width), or logits (N, T, vocabulary)"""
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
        for block in self.h:
            x = block(x)
        x = self.ln_f(x)
        return F.linear(x, self.wte.weight) if self.writes else x


class GPT2LanguageModel(nn.Module):
    """The head is the embedding's table (`tied`), which the file may leave out, or one of its own."""

    def __init__(self, vocabulary, context, width, depth, heads, hidden, turned=True, biased=True, act="gelu_new",
                 eps=1e-5, masks=(), tied=True, kept=True):
        super().__init__()
        self.transformer = GPT2(
            vocabulary, context, width, depth, heads, hidden, turned, biased, act, eps, masks
        )
        if kept:
            self.lm_head = nn.Linear(width, vocabulary, bias=False)
            if tied:
                self.lm_head.weight = self.transformer.wte.weight
        self.kept = kept

    def forward(self, tokens):
        """(N, T) to logits (N, T, vocabulary)"""
        x = self.transformer(tokens)
        return self.lm_head(x) if self.kept else F.linear(x, self.transformer.wte.weight)

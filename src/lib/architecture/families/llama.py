"""Llama-style models: RoPE, RMSNorm, SwiGLU, grouped queries; names of transformers and llama2.c."""
import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def angles(length, size, theta):
    """(length, size / 2): what position and pair turn by"""
    frequencies = 1.0 / (theta ** (torch.arange(0, size, 2).float() / size))
    return torch.outer(torch.arange(length).float(), frequencies)


def rotate_halves(x, cos, sin):
    """transformers: the first half of a head against the second"""
    cos, sin = torch.cat([cos, cos], -1), torch.cat([sin, sin], -1)
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], -1) * sin


def rotate_pairs(x, cos, sin):
    """llama2.c and Meta's own: neighbours against each other"""
    even, odd = x.reshape(*x.shape[:-1], -1, 2).unbind(-1)
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


def attend(q, k, v, heads, groups, theta, rotate):
    batch, length, width = q.shape
    size = width // heads
    q = q.view(batch, length, heads, size).transpose(1, 2)
    k = k.view(batch, length, groups, size).transpose(1, 2)
    v = v.view(batch, length, groups, size).transpose(1, 2)
    turn = angles(length, size, theta)
    q, k = rotate(q, turn.cos(), turn.sin()), rotate(k, turn.cos(), turn.sin())
    k, v = [part.repeat_interleave(heads // groups, dim=1) for part in (k, v)]
    x = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return x.transpose(1, 2).reshape(batch, length, width)


class HFAttention(nn.Module):
    def __init__(self, width, heads, groups, biased, theta):
        super().__init__()
        inner = width // heads * groups
        self.heads, self.groups, self.theta = heads, groups, theta
        self.q_proj = nn.Linear(width, width, bias=biased)
        self.k_proj = nn.Linear(width, inner, bias=biased)
        self.v_proj = nn.Linear(width, inner, bias=biased)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x):
        q, k, v = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        return self.o_proj(attend(q, k, v, self.heads, self.groups, self.theta, rotate_halves))


class HFMLP(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.gate_proj = nn.Linear(width, hidden, bias=False)
        self.up_proj = nn.Linear(width, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, width, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class HFLayer(nn.Module):
    def __init__(self, width, heads, groups, hidden, biased, theta, eps):
        super().__init__()
        self.self_attn = HFAttention(width, heads, groups, biased, theta)
        self.mlp = HFMLP(width, hidden)
        self.input_layernorm = RMSNorm(width, eps)
        self.post_attention_layernorm = RMSNorm(width, eps)

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class HFLlama(nn.Module):
    def __init__(self, vocabulary, width, depth, heads, groups, hidden, biased=False, theta=10000.0,
                 eps=1e-6):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList(
            HFLayer(width, heads, groups, hidden, biased, theta, eps) for _ in range(depth)
        )
        self.norm = RMSNorm(width, eps)

    def forward(self, tokens):
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class HFLlamaLanguageModel(nn.Module):
    def __init__(self, tied=False, **arguments):
        super().__init__()
        self.model = HFLlama(**arguments)
        embedding = self.model.embed_tokens.weight
        self.lm_head = nn.Linear(embedding.shape[1], embedding.shape[0], bias=False)
        if tied:
            self.lm_head.weight = embedding

    def forward(self, tokens):
        """(N, T) to logits (N, T, vocabulary)"""
        return self.lm_head(self.model(tokens))


class Attention(nn.Module):
    def __init__(self, width, heads, groups, theta):
        super().__init__()
        inner = width // heads * groups
        self.heads, self.groups, self.theta = heads, groups, theta
        self.wq = nn.Linear(width, width, bias=False)
        self.wk = nn.Linear(width, inner, bias=False)
        self.wv = nn.Linear(width, inner, bias=False)
        self.wo = nn.Linear(width, width, bias=False)

    def forward(self, x):
        q, k, v = self.wq(x), self.wk(x), self.wv(x)
        return self.wo(attend(q, k, v, self.heads, self.groups, self.theta, rotate_pairs))


class FeedForward(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.w1 = nn.Linear(width, hidden, bias=False)
        self.w2 = nn.Linear(hidden, width, bias=False)
        self.w3 = nn.Linear(width, hidden, bias=False)

    def forward(self, x):
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class Layer(nn.Module):
    def __init__(self, width, heads, groups, hidden, theta, eps):
        super().__init__()
        self.attention = Attention(width, heads, groups, theta)
        self.feed_forward = FeedForward(width, hidden)
        self.attention_norm = RMSNorm(width, eps)
        self.ffn_norm = RMSNorm(width, eps)

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.ffn_norm(x))


class Llama(nn.Module):
    """The names of Meta's own files and of llama2.c."""

    def __init__(self, vocabulary, width, depth, heads, groups, hidden, theta=10000.0, eps=1e-5, tied=True):
        super().__init__()
        self.tok_embeddings = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList(
            Layer(width, heads, groups, hidden, theta, eps) for _ in range(depth)
        )
        self.norm = RMSNorm(width, eps)
        self.output = nn.Linear(width, vocabulary, bias=False)
        if tied:
            self.output.weight = self.tok_embeddings.weight

    def forward(self, tokens):
        """(N, T) to logits (N, T, vocabulary)"""
        x = self.tok_embeddings(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.output(self.norm(x))

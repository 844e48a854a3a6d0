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


def speeds(size, theta):
    """(size / 2): how far a place turns each pair of a head's numbers"""
    return 1.0 / (theta ** (torch.arange(0, size, 2).float() / size))


def rotate_halves(x, cos, sin):
    """transformers: the first half of a head against the second"""
    cos, sin = torch.cat([cos, cos], -1), torch.cat([sin, sin], -1)
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], -1) * sin


def rotate_pairs(x, cos, sin):
    """llama2.c and Meta's own: neighbours against each other"""
    even, odd = x.reshape(*x.shape[:-1], -1, 2).unbind(-1)
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


def attend(q, k, v, heads, groups, turns, rotate):
    """`turns`: the speeds of each pair; a key and value serve heads / groups queries"""
    batch, length = q.shape[:2]
    q, k, v = [
        part.view(batch, length, count, -1).transpose(1, 2)
        for part, count in ((q, heads), (k, groups), (v, groups))
    ]
    angles = torch.outer(torch.arange(length).float(), turns)
    q, k = rotate(q, angles.cos(), angles.sin()), rotate(k, angles.cos(), angles.sin())
    k, v = [part.repeat_interleave(heads // groups, dim=1) for part in (k, v)]
    x = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return x.transpose(1, 2).reshape(batch, length, -1)


class Rotary(nn.Module):
    """Older files keep the speeds."""

    def __init__(self, size):
        super().__init__()
        self.register_buffer("inv_freq", torch.zeros(size // 2))


class HFAttention(nn.Module):
    def __init__(self, width, heads, groups, size, biased, output_biased, theta, rotary):
        super().__init__()
        self.heads, self.groups = heads, groups
        self.q_proj = nn.Linear(width, heads * size, bias=biased)
        self.k_proj = nn.Linear(width, groups * size, bias=biased)
        self.v_proj = nn.Linear(width, groups * size, bias=biased)
        self.o_proj = nn.Linear(heads * size, width, bias=output_biased)
        if rotary:
            self.rotary_emb = Rotary(size)
        self.turns = None if rotary else speeds(size, theta)

    def forward(self, x):
        q, k, v = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        turns = self.rotary_emb.inv_freq if self.turns is None else self.turns
        return self.o_proj(attend(q, k, v, self.heads, self.groups, turns, rotate_halves))


class HFMLP(nn.Module):
    def __init__(self, width, hidden, biased):
        super().__init__()
        self.gate_proj = nn.Linear(width, hidden, bias=biased)
        self.up_proj = nn.Linear(width, hidden, bias=biased)
        self.down_proj = nn.Linear(hidden, width, bias=biased)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class HFLayer(nn.Module):
    def __init__(self, width, heads, groups, size, hidden, biased, output_biased, mlp_biased, theta, eps, rotary):
        super().__init__()
        self.self_attn = HFAttention(width, heads, groups, size, biased, output_biased, theta, rotary)
        self.mlp = HFMLP(width, hidden, mlp_biased)
        self.input_layernorm = RMSNorm(width, eps)
        self.post_attention_layernorm = RMSNorm(width, eps)

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class HFLlama(nn.Module):
    """`size`: numbers of a head; `rotary`: the file keeps the speeds of RoPE, so theta says nothing."""

    def __init__(self, vocabulary, width, depth, heads, groups, size, hidden, biased=False, output_biased=False,
                 mlp_biased=False, theta=10000.0, eps=1e-6, rotary=False):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList(
            HFLayer(width, heads, groups, size, hidden, biased, output_biased, mlp_biased, theta, eps, rotary)
            for _ in range(depth)
        )
        self.norm = RMSNorm(width, eps)

    def forward(self, tokens):
        """(N, T) to the last layer's states (N, T, width)"""
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class HFLlamaLanguageModel(nn.Module):
    """The head is the embedding's table (`tied`), which the file may leave out, or one of its own."""

    def __init__(self, vocabulary, width, depth, heads, groups, size, hidden, biased=False, output_biased=False,
                 mlp_biased=False, theta=10000.0, eps=1e-6, rotary=False, tied=False, kept=True):
        super().__init__()
        self.model = HFLlama(
            vocabulary, width, depth, heads, groups, size, hidden, biased, output_biased, mlp_biased, theta, eps,
            rotary,
        )
        if kept:
            self.lm_head = nn.Linear(width, vocabulary, bias=False)
            if tied:
                self.lm_head.weight = self.model.embed_tokens.weight
        self.kept = kept

    def forward(self, tokens):
        """(N, T) to logits (N, T, vocabulary)"""
        x = self.model(tokens)
        return self.lm_head(x) if self.kept else F.linear(x, self.model.embed_tokens.weight)


class Attention(nn.Module):
    def __init__(self, width, heads, groups, theta):
        super().__init__()
        inner = width // heads * groups
        self.heads, self.groups = heads, groups
        self.turns = speeds(width // heads, theta)
        self.wq = nn.Linear(width, width, bias=False)
        self.wk = nn.Linear(width, inner, bias=False)
        self.wv = nn.Linear(width, inner, bias=False)
        self.wo = nn.Linear(width, width, bias=False)

    def forward(self, x):
        q, k, v = self.wq(x), self.wk(x), self.wv(x)
        return self.wo(attend(q, k, v, self.heads, self.groups, self.turns, rotate_pairs))


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

"""BERT (and MiniLM) and DistilBERT with the names of transformers."""
import torch
import torch.nn.functional as F
from torch import nn


def attend(q, k, v, heads, mask):
    batch, length, width = q.shape
    q, k, v = [
        part.view(batch, length, heads, width // heads).transpose(1, 2) for part in (q, k, v)
    ]
    if mask is not None:
        mask = mask[:, None, None, :].bool()
    x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return x.transpose(1, 2).reshape(batch, length, width)


class Embeddings(nn.Module):
    def __init__(self, vocabulary, context, types, width, positions):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocabulary, width, padding_idx=0)
        self.position_embeddings = nn.Embedding(context, width)
        if types:
            self.token_type_embeddings = nn.Embedding(types, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)
        self.types = types
        # Older files keep the numbers from 0 on.
        if positions:
            self.register_buffer("position_ids", torch.arange(context).unsqueeze(0))

    def forward(self, tokens, segments=None):
        x = self.word_embeddings(tokens) + self.position_embeddings(torch.arange(tokens.shape[1]))
        if self.types:
            if segments is None:
                segments = torch.zeros(tokens.shape, dtype=torch.long)
            x = x + self.token_type_embeddings(segments)
        return self.LayerNorm(x)


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)

    def forward(self, x, mask):
        return attend(self.query(x), self.key(x), self.value(x), self.heads, mask)


class AddAndNorm(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.dense = nn.Linear(inputs, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x, skip):
        return self.LayerNorm(self.dense(x) + skip)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.self = SelfAttention(width, heads)
        self.output = AddAndNorm(width, width)

    def forward(self, x, mask):
        return self.output(self.self(x, mask), x)


class Intermediate(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.dense = nn.Linear(width, hidden)

    def forward(self, x):
        return F.gelu(self.dense(x))


class Layer(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.attention = Attention(width, heads)
        self.intermediate = Intermediate(width, hidden)
        self.output = AddAndNorm(hidden, width)

    def forward(self, x, mask):
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


class Encoder(nn.Module):
    def __init__(self, depth, width, heads, hidden):
        super().__init__()
        self.layer = nn.ModuleList(Layer(width, heads, hidden) for _ in range(depth))

    def forward(self, x, mask):
        for layer in self.layer:
            x = layer(x, mask)
        return x


class Pooler(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.dense = nn.Linear(width, width)

    def forward(self, x):
        return torch.tanh(self.dense(x[:, 0]))


class Bert(nn.Module):
    def __init__(self, vocabulary, context, types, width, depth, heads, hidden, pooled=True, positions=False):
        super().__init__()
        self.embeddings = Embeddings(vocabulary, context, types, width, positions)
        self.encoder = Encoder(depth, width, heads, hidden)
        if pooled:
            self.pooler = Pooler(width)
        self.pooled = pooled

    def forward(self, input_ids, attention_mask=None, token_type_ids=None):
        """(N, T) to the last layer's states (N, T, width) and the pooled first one (N, width)"""
        x = self.encoder(self.embeddings(input_ids, token_type_ids), attention_mask)
        return (x, self.pooler(x)) if self.pooled else x


class DistilAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q_lin = nn.Linear(width, width)
        self.k_lin = nn.Linear(width, width)
        self.v_lin = nn.Linear(width, width)
        self.out_lin = nn.Linear(width, width)

    def forward(self, x, mask):
        return self.out_lin(attend(self.q_lin(x), self.k_lin(x), self.v_lin(x), self.heads, mask))


class FFN(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.lin1 = nn.Linear(width, hidden)
        self.lin2 = nn.Linear(hidden, width)

    def forward(self, x):
        return self.lin2(F.gelu(self.lin1(x)))


class DistilLayer(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.attention = DistilAttention(width, heads)
        self.sa_layer_norm = nn.LayerNorm(width, eps=1e-12)
        self.ffn = FFN(width, hidden)
        self.output_layer_norm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x, mask):
        x = self.sa_layer_norm(self.attention(x, mask) + x)
        return self.output_layer_norm(self.ffn(x) + x)


class DistilEncoder(Encoder):
    def __init__(self, depth, width, heads, hidden):
        nn.Module.__init__(self)
        self.layer = nn.ModuleList(DistilLayer(width, heads, hidden) for _ in range(depth))


class DistilBert(nn.Module):
    def __init__(self, vocabulary, context, width, depth, heads, hidden):
        super().__init__()
        self.embeddings = Embeddings(vocabulary, context, 0, width, False)
        self.transformer = DistilEncoder(depth, width, heads, hidden)

    def forward(self, input_ids, attention_mask=None):
        """(N, T) to the last layer's states (N, T, width)"""
        return self.transformer(self.embeddings(input_ids), attention_mask)

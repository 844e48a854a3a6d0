"""BERT, MiniLM and RoBERTa's encoder, with the names of transformers."""
import torch
import torch.nn.functional as F
from torch import nn


def activation(name):
    """By the names of transformers' configurations; gelu_new is the one by tanh."""
    kinds = {"gelu": nn.GELU(), "gelu_new": nn.GELU("tanh"), "relu": nn.ReLU(), "silu": nn.SiLU()}
    return kinds[name]


class LayerNorm(nn.Module):
    """`old`: with gamma and beta, as files that come from TensorFlow have it."""

    def __init__(self, width, eps, old):
        super().__init__()
        scale, shift = ("gamma", "beta") if old else ("weight", "bias")
        setattr(self, scale, nn.Parameter(torch.ones(width)))
        setattr(self, shift, nn.Parameter(torch.zeros(width)))
        self.eps, self.old = eps, old

    def forward(self, x):
        weight, bias = (self.gamma, self.beta) if self.old else (self.weight, self.bias)
        return F.layer_norm(x, weight.shape, weight, bias, self.eps)


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
    def __init__(self, vocabulary, context, types, width, positions, padding, eps, old):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocabulary, width)
        self.position_embeddings = nn.Embedding(context, width)
        if types:
            self.token_type_embeddings = nn.Embedding(types, width)
        self.LayerNorm = LayerNorm(width, eps, old)
        self.types, self.padding = types, padding
        # Older files keep the numbers from 0 on.
        if positions:
            self.register_buffer("position_ids", torch.arange(context).unsqueeze(0))

    def places(self, tokens):
        """RoBERTa counts from behind the padding token's number, and leaves padding out."""
        if self.padding is None:
            return torch.arange(tokens.shape[1])
        kept = tokens.ne(self.padding).long()
        return torch.cumsum(kept, dim=1) * kept + self.padding

    def forward(self, tokens, segments=None):
        x = self.word_embeddings(tokens) + self.position_embeddings(self.places(tokens))
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
    def __init__(self, inputs, width, eps, old):
        super().__init__()
        self.dense = nn.Linear(inputs, width)
        self.LayerNorm = LayerNorm(width, eps, old)

    def forward(self, x, skip):
        return self.LayerNorm(self.dense(x) + skip)


class Attention(nn.Module):
    def __init__(self, width, heads, eps, old):
        super().__init__()
        self.self = SelfAttention(width, heads)
        self.output = AddAndNorm(width, width, eps, old)

    def forward(self, x, mask):
        return self.output(self.self(x, mask), x)


class Active(nn.Module):
    """A linear layer and its activation; with a norm, the last step before words are told."""

    def __init__(self, width, hidden, act, norm=None):
        super().__init__()
        self.dense = nn.Linear(width, hidden)
        self.act = activation(act)
        if norm is not None:
            self.LayerNorm = norm
        self.normed = norm is not None

    def forward(self, x):
        x = self.act(self.dense(x))
        return self.LayerNorm(x) if self.normed else x


class Layer(nn.Module):
    def __init__(self, width, heads, hidden, act, eps, old):
        super().__init__()
        self.attention = Attention(width, heads, eps, old)
        self.intermediate = Active(width, hidden, act)
        self.output = AddAndNorm(hidden, width, eps, old)

    def forward(self, x, mask):
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


class Layers(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layer = nn.ModuleList(layers)

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
    """`padding`: RoBERTa's padding token, by which it counts places; BERT counts from 0."""

    def __init__(self, vocabulary, context, types, width, depth, heads, hidden, pooled=True, positions=False,
                 padding=None, act="gelu", eps=1e-12, old=False):
        super().__init__()
        self.embeddings = Embeddings(vocabulary, context, types, width, positions, padding, eps, old)
        self.encoder = Layers([Layer(width, heads, hidden, act, eps, old) for _ in range(depth)])
        if pooled:
            self.pooler = Pooler(width)
        self.pooled = pooled

    def forward(self, input_ids, attention_mask=None, token_type_ids=None):
        """(N, T) to the last layer's states (N, T, width) and the pooled first one (N, width)"""
        x = self.encoder(self.embeddings(input_ids, token_type_ids), attention_mask)
        return (x, self.pooler(x)) if self.pooled else x


class Predictions(nn.Module):
    """Logits of words, through the embedding's table; `kept`: what of that the file repeats."""

    def __init__(self, table, width, act, eps, old, kept, tied):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(table.shape[0]))
        self.transform = Active(width, width, act, LayerNorm(width, eps, old))
        if "weight" in kept:
            self.decoder = nn.Linear(width, table.shape[0], bias="bias" in kept)
            if tied:
                self.decoder.weight = table
            if "bias" in kept:
                self.decoder.bias = self.bias
        self.kept = kept

    def forward(self, x, table):
        if "weight" in self.kept:
            table = self.decoder.weight
        return F.linear(self.transform(x), table, self.bias)


class PretrainingHeads(nn.Module):
    def __init__(self, table, width, act, eps, old, kept, tied, related):
        super().__init__()
        self.predictions = Predictions(table, width, act, eps, old, kept, tied)
        if related:
            self.seq_relationship = nn.Linear(width, 2)


class BertForMaskedLM(nn.Module):
    """`pooled`: with the head that tells whether the second sentence follows the first."""

    def __init__(self, vocabulary, context, types, width, depth, heads, hidden, pooled=False, positions=False,
                 act="gelu", eps=1e-12, old=False, kept=("weight", "bias"), tied=True):
        super().__init__()
        self.bert = Bert(vocabulary, context, types, width, depth, heads, hidden, pooled, positions,
                         None, act, eps, old)
        table = self.bert.embeddings.word_embeddings.weight
        self.cls = PretrainingHeads(table, width, act, eps, old, kept, tied, pooled)
        self.pooled = pooled

    def forward(self, input_ids, attention_mask=None, token_type_ids=None):
        """(N, T) to logits (N, T, vocabulary)"""
        x = self.bert(input_ids, attention_mask, token_type_ids)
        table = self.bert.embeddings.word_embeddings.weight
        if not self.pooled:
            return self.cls.predictions(x, table)
        return self.cls.predictions(x[0], table), self.cls.seq_relationship(x[1])


class BertClassifier(nn.Module):
    """Classes of a text, through the pooler, or of each token, without one."""

    def __init__(self, vocabulary, context, types, width, depth, heads, hidden, classes, pooled=True,
                 positions=False, act="gelu", eps=1e-12, old=False, answers=False):
        super().__init__()
        self.bert = Bert(vocabulary, context, types, width, depth, heads, hidden, pooled, positions,
                         None, act, eps, old)
        self.pooled, self.answers = pooled, answers
        setattr(self, "qa_outputs" if answers else "classifier", nn.Linear(width, classes))

    def forward(self, input_ids, attention_mask=None, token_type_ids=None):
        x = self.bert(input_ids, attention_mask, token_type_ids)
        if self.answers:
            # Where the answer begins, and where it ends.
            return self.qa_outputs(x).unbind(-1)
        return self.classifier(x[1] if self.pooled else x)

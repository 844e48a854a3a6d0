"""DistilBERT with the names of transformers: BERT without segments and without a pooler."""
import torch
import torch.nn.functional as F
from torch import nn


def activation(name):
    """By the names of transformers' configurations; gelu_new is the one by tanh."""
    kinds = {"gelu": nn.GELU(), "gelu_new": nn.GELU("tanh"), "relu": nn.ReLU(), "silu": nn.SiLU()}
    return kinds[name]


class Embeddings(nn.Module):
    def __init__(self, vocabulary, context, width, positions):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocabulary, width)
        self.position_embeddings = nn.Embedding(context, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)
        # Older files keep the numbers from 0 on.
        if positions:
            self.register_buffer("position_ids", torch.arange(context).unsqueeze(0))

    def forward(self, tokens):
        places = torch.arange(tokens.shape[1])
        return self.LayerNorm(self.word_embeddings(tokens) + self.position_embeddings(places))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q_lin = nn.Linear(width, width)
        self.k_lin = nn.Linear(width, width)
        self.v_lin = nn.Linear(width, width)
        self.out_lin = nn.Linear(width, width)

    def forward(self, x, mask):
        batch, length, width = x.shape
        q, k, v = [
            part(x).view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in (self.q_lin, self.k_lin, self.v_lin)
        ]
        if mask is not None:
            mask = mask[:, None, None, :].bool()
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out_lin(x.transpose(1, 2).reshape(batch, length, width))


class FFN(nn.Module):
    def __init__(self, width, hidden, act):
        super().__init__()
        self.lin1 = nn.Linear(width, hidden)
        self.lin2 = nn.Linear(hidden, width)
        self.act = activation(act)

    def forward(self, x):
        return self.lin2(self.act(self.lin1(x)))


class Layer(nn.Module):
    def __init__(self, width, heads, hidden, act):
        super().__init__()
        self.attention = Attention(width, heads)
        self.sa_layer_norm = nn.LayerNorm(width, eps=1e-12)
        self.ffn = FFN(width, hidden, act)
        self.output_layer_norm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x, mask):
        x = self.sa_layer_norm(self.attention(x, mask) + x)
        return self.output_layer_norm(self.ffn(x) + x)


class Layers(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layer = nn.ModuleList(layers)

    def forward(self, x, mask):
        for layer in self.layer:
            x = layer(x, mask)
        return x


class DistilBert(nn.Module):
    def __init__(self, vocabulary, context, width, depth, heads, hidden, positions=False, act="gelu"):
        super().__init__()
        self.embeddings = Embeddings(vocabulary, context, width, positions)
        self.transformer = Layers([Layer(width, heads, hidden, act) for _ in range(depth)])

    def forward(self, input_ids, attention_mask=None):
        """(N, T) to the last layer's states (N, T, width)"""
        return self.transformer(self.embeddings(input_ids), attention_mask)


class DistilBertForMaskedLM(nn.Module):
    """The last layer's weight is the embedding's table (`tied`), which the file may leave out."""

    def __init__(self, vocabulary, context, width, depth, heads, hidden, positions=False, act="gelu", tied=True,
                 kept=True):
        super().__init__()
        self.distilbert = DistilBert(vocabulary, context, width, depth, heads, hidden, positions, act)
        self.vocab_transform = nn.Linear(width, width)
        self.act = activation(act)
        self.vocab_layer_norm = nn.LayerNorm(width, eps=1e-12)
        self.vocab_projector = Projector(self.distilbert.embeddings.word_embeddings.weight, tied, kept)

    def forward(self, input_ids, attention_mask=None):
        """(N, T) to logits (N, T, vocabulary)"""
        x = self.act(self.vocab_transform(self.distilbert(input_ids, attention_mask)))
        table = self.distilbert.embeddings.word_embeddings.weight
        return self.vocab_projector(self.vocab_layer_norm(x), table)


class Projector(nn.Module):
    def __init__(self, table, tied, kept):
        super().__init__()
        if kept:
            self.weight = table if tied else nn.Parameter(torch.empty(table.shape).normal_(std=0.02))
        self.bias = nn.Parameter(torch.zeros(table.shape[0]))
        self.kept = kept

    def forward(self, x, table):
        return F.linear(x, self.weight if self.kept else table, self.bias)


class DistilBertClassifier(nn.Module):
    """Classes of a text, of each token (`each`), or where an answer begins and ends (`answers`)."""

    def __init__(self, vocabulary, context, width, depth, heads, hidden, classes, positions=False, act="gelu",
                 each=False, answers=False):
        super().__init__()
        self.distilbert = DistilBert(vocabulary, context, width, depth, heads, hidden, positions, act)
        self.each, self.answers = each, answers
        if answers:
            self.qa_outputs = nn.Linear(width, classes)
            return
        if not each:
            self.pre_classifier = nn.Linear(width, width)
        self.classifier = nn.Linear(width, classes)

    def forward(self, input_ids, attention_mask=None):
        x = self.distilbert(input_ids, attention_mask)
        if self.answers:
            return self.qa_outputs(x).unbind(-1)
        if self.each:
            return self.classifier(x)
        return self.classifier(F.relu(self.pre_classifier(x[:, 0])))

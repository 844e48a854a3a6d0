"""Checkpoints of language models and small nets, and what they compute: written for the tests, apart
from the lab's own sources, as functions of a state_dict. Transformers go through PyTorch's
nn.TransformerEncoderLayer, RoPE turns by complex numbers. Weights are seeded noise.

Writes FOLDER/NAME.pt for each: {state, config, inputs, outputs}.

    reference_models.py FOLDER
"""

import pathlib
import sys

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)


class Weights(dict):
    """A state_dict that is made while it is described; scaled so that activations bend."""

    def matrix(self, name, *shape, biased=True):
        fan = torch.Size(shape[1:]).numel()
        self[f"{name}.weight"] = torch.randn(shape) / fan**0.5
        if biased:
            self.vector(f"{name}.bias", shape[0])

    def vector(self, name, size, mean=0.0):
        self[name] = mean + 0.3 * torch.randn(size)

    def norm(self, name, width):
        self.vector(f"{name}.weight", width, 1.0)
        self.vector(f"{name}.bias", width)

    def batch_norm(self, name, width):
        self.norm(name, width)
        self.vector(f"{name}.running_mean", width)
        self[f"{name}.running_var"] = torch.rand(width) + 0.5
        self[f"{name}.num_batches_tracked"] = torch.tensor(3)

    def apply(self, name, x):
        return F.linear(x, self[f"{name}.weight"], self.get(f"{name}.bias"))

    def normed(self, name, x, eps):
        return F.layer_norm(x, x.shape[-1:], self[f"{name}.weight"], self[f"{name}.bias"], eps)


def transformer_layer(x, heads, weights, act, eps, first, mask=None, padding=None):
    """PyTorch's own layer, given its weights in the order of its parameters."""
    width, hidden = x.shape[-1], weights[4].shape[0]
    layer = nn.TransformerEncoderLayer(width, heads, hidden, 0.0, act, eps, batch_first=True, norm_first=first)
    with torch.no_grad():
        for parameter, value in zip(layer.parameters(), weights, strict=True):
            parameter.copy_(value)
    # In training mode, so that no other code for inference takes its place.
    return layer(x, src_mask=mask, src_key_padding_mask=padding)


def joined(state, *names):
    pieces = ("weight", "bias")
    return [torch.cat([state[f"{name}.{piece}"] for name in names]) for piece in pieces]


def pair(state, name):
    return [state[f"{name}.weight"], state[f"{name}.bias"]]


def gelu_by_tanh(x):
    return F.gelu(x, approximate="tanh")


def causal(length):
    return nn.Transformer.generate_square_subsequent_mask(length)


def gpt2(width=24, heads=4, depth=2, vocabulary=53):
    """transformers' names: weights lie inputs first, and the head is the embedding."""
    state, tokens = Weights(), torch.randint(0, vocabulary, (2, 9))
    state.matrix("transformer.wte", vocabulary, width, biased=False)
    state.matrix("transformer.wpe", 16, width, biased=False)
    x = state["transformer.wte.weight"][tokens] + state["transformer.wpe.weight"][:9]
    for number in range(depth):
        name = f"transformer.h.{number}"
        state.norm(f"{name}.ln_1", width)
        state.norm(f"{name}.ln_2", width)
        sizes = {"attn.c_attn": (width, 3 * width), "attn.c_proj": (width, width),
                 "mlp.c_fc": (width, 40), "mlp.c_proj": (40, width)}
        for part, (inputs, outputs) in sizes.items():
            state[f"{name}.{part}.weight"] = torch.randn(inputs, outputs) / inputs**0.5
            state.vector(f"{name}.{part}.bias", outputs)
        turned = [
            value.t()
            for part in sizes
            for value in (state[f"{name}.{part}.weight"], state[f"{name}.{part}.bias"])
        ]
        weights = [*turned, *pair(state, f"{name}.ln_1"), *pair(state, f"{name}.ln_2")]
        x = transformer_layer(x, heads, weights, gelu_by_tanh, 1e-5, True, causal(9))
    state.norm("transformer.ln_f", width)
    state["lm_head.weight"] = state["transformer.wte.weight"]
    return state, {"n_head": heads}, [tokens], [state.apply("lm_head", state.normed("transformer.ln_f", x, 1e-5))]


def llama(width=24, heads=6, groups=2, depth=2, vocabulary=53, theta=500.0):
    """transformers' names; the first half of a head's numbers are real parts, the second imaginary."""
    state, tokens = Weights(), torch.randint(0, vocabulary, (2, 9))
    size = width // heads
    state.matrix("model.embed_tokens", vocabulary, width, biased=False)
    x = state["model.embed_tokens.weight"][tokens]
    places = torch.arange(9).double()
    turns = torch.polar(torch.ones(9, size // 2).double(), places[:, None] / theta ** (torch.arange(size // 2) * 2 / size))

    def rms(name, x):
        state.vector(f"{name}.weight", width, 1.0)
        return F.rms_norm(x, (width,), state[f"{name}.weight"], 1e-5)

    def turned(x):
        real, imaginary = x.double().unflatten(-1, (2, size // 2)).unbind(-2)
        x = torch.complex(real, imaginary) * turns[:, None]
        return torch.cat([x.real, x.imag], -1).float()

    for number in range(depth):
        name = f"model.layers.{number}"
        y = rms(f"{name}.input_layernorm", x)
        for part, count in (("q", heads), ("k", groups), ("v", groups)):
            state.matrix(f"{name}.self_attn.{part}_proj", count * size, width, biased=False)
        q, k, v = [state.apply(f"{name}.self_attn.{part}_proj", y).unflatten(-1, (-1, size)) for part in "qkv"]
        k, v = [part[:, :, [head * groups // heads for head in range(heads)]] for part in (turned(k), v)]
        scores = torch.einsum("nqhd,nkhd->nhqk", turned(q), k) / size**0.5 + causal(9)
        state.matrix(f"{name}.self_attn.o_proj", width, width, biased=False)
        mixed = torch.einsum("nhqk,nkhd->nqhd", scores.softmax(-1), v).flatten(2)
        x = x + state.apply(f"{name}.self_attn.o_proj", mixed)
        y = rms(f"{name}.post_attention_layernorm", x)
        for part, shape in (("gate", (40, width)), ("up", (40, width)), ("down", (width, 40))):
            state.matrix(f"{name}.mlp.{part}_proj", *shape, biased=False)
        gate, up = [state.apply(f"{name}.mlp.{part}_proj", y) for part in ("gate", "up")]
        x = x + state.apply(f"{name}.mlp.down_proj", gate * torch.sigmoid(gate) * up)
    x = rms("model.norm", x)
    state.matrix("lm_head", vocabulary, width, biased=False)
    config = {"num_attention_heads": heads, "rms_norm_eps": 1e-5, "rope_parameters": {"rope_theta": theta, "rope_type": "default"}}
    return state, config, [tokens], [state.apply("lm_head", x)]


def post_norm_layers(state, x, name, depth, heads, padding, parts, hidden=40):
    """BERT's and DistilBERT's layers are PyTorch's under other names: q, k, v, out, in, out, two norms."""
    width = x.shape[-1]
    for number in range(depth):
        *inputs, out, first, second, norm, last = [f"{name}.{number}.{part}" for part in parts]
        for part in (*inputs, out):
            state.matrix(part, width, width)
        state.matrix(first, hidden, width)
        state.matrix(second, width, hidden)
        state.norm(norm, width)
        state.norm(last, width)
        singles = [value for part in (out, first, second, norm, last) for value in pair(state, part)]
        weights = [*joined(state, *inputs), *singles]
        x = transformer_layer(x, heads, weights, "gelu", 1e-12, False, padding=padding)
    return x


def texts(vocabulary):
    mask = torch.ones(2, 9, dtype=torch.long)
    mask[1, 6:] = 0
    return torch.randint(0, vocabulary, (2, 9)), mask


def bert(width=24, heads=4, vocabulary=53, given=None):
    """`given`: tokens, mask and segments of texts; random ones otherwise"""
    state = Weights()
    tokens, mask, segments = given or (*texts(vocabulary), torch.randint(0, 2, (2, 9)))
    tables = {"word": vocabulary, "position": 48, "token_type": 2}
    for name, rows in tables.items():
        state.matrix(f"embeddings.{name}_embeddings", rows, width, biased=False)
    words, places, kinds = [state[f"embeddings.{name}_embeddings.weight"] for name in tables]
    state.norm("embeddings.LayerNorm", width)
    x = state.normed("embeddings.LayerNorm", words[tokens] + places[: tokens.shape[1]] + kinds[segments], 1e-12)
    own = [f"attention.self.{part}" for part in ("query", "key", "value")]
    parts = [*own, "attention.output.dense", "intermediate.dense", "output.dense"]
    norms = ["attention.output.LayerNorm", "output.LayerNorm"]
    x = post_norm_layers(state, x, "encoder.layer", 2, heads, mask == 0, [*parts, *norms])
    state.matrix("pooler.dense", width, width)
    pooled = torch.tanh(state.apply("pooler.dense", x[:, 0]))
    return state, {"num_attention_heads": heads}, [tokens, mask, segments], [x, pooled]


def distilbert(width=24, heads=4, vocabulary=53):
    state, (tokens, mask) = Weights(), texts(vocabulary)
    for name, rows in (("word", vocabulary), ("position", 16)):
        state.matrix(f"embeddings.{name}_embeddings", rows, width, biased=False)
    x = state["embeddings.word_embeddings.weight"][tokens] + state["embeddings.position_embeddings.weight"][:9]
    state.norm("embeddings.LayerNorm", width)
    x = state.normed("embeddings.LayerNorm", x, 1e-12)
    parts = ["attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "ffn.lin1", "ffn.lin2"]
    norms = ["sa_layer_norm", "output_layer_norm"]
    x = post_norm_layers(state, x, "transformer.layer", 2, heads, mask == 0, [*parts, *norms])
    return state, {"n_heads": heads}, [tokens, mask], [x]


def timm_vit(width=24, heads=4):
    state, images = Weights(), torch.randn(2, 3, 24, 24)
    state["cls_token"] = torch.randn(1, 1, width)
    state["pos_embed"] = torch.randn(1, 10, width)
    state.matrix("patch_embed.proj", width, 3, 8, 8)
    patches = F.unfold(images, 8, stride=8).transpose(1, 2)
    flat = state["patch_embed.proj.weight"].flatten(1)
    x = F.linear(patches, flat, state["patch_embed.proj.bias"])
    x = torch.cat([state["cls_token"].repeat(2, 1, 1), x], 1) + state["pos_embed"]
    for number in range(2):
        name = f"blocks.{number}"
        sizes = {"attn.qkv": (3 * width, width), "attn.proj": (width, width),
                 "mlp.fc1": (40, width), "mlp.fc2": (width, 40)}
        for part, shape in sizes.items():
            state.matrix(f"{name}.{part}", *shape)
        state.norm(f"{name}.norm1", width)
        state.norm(f"{name}.norm2", width)
        weights = [value for part in (*sizes, "norm1", "norm2") for value in pair(state, f"{name}.{part}")]
        x = transformer_layer(x, heads, weights, "gelu", 1e-6, True)
    state.norm("norm", width)
    state.matrix("head", 5, width)
    return state, {"num_heads": heads}, [images], [state.apply("head", state.normed("norm", x, 1e-6)[:, 0])]


def unet(width=4, classes=2):
    state, images = Weights(), torch.randn(1, 3, 37, 32)

    def double(name, inputs, outputs, x):
        for at, channels in ((0, inputs), (3, outputs)):
            part = f"{name}.double_conv"
            state.matrix(f"{part}.{at}", outputs, channels, 3, 3, biased=False)
            state.batch_norm(f"{part}.{at + 1}", outputs)
            x = F.conv2d(x, state[f"{part}.{at}.weight"], padding=1)
            mean, variance = state[f"{part}.{at + 1}.running_mean"], state[f"{part}.{at + 1}.running_var"]
            x = F.relu(F.batch_norm(x, mean, variance, *pair(state, f"{part}.{at + 1}")))
        return x

    skips = [double("inc", 3, width, images)]
    for level in range(1, 5):
        inputs = width * 2 ** (level - 1)
        name = f"down{level}.maxpool_conv.1"
        skips.append(double(name, inputs, 2 * inputs, F.max_pool2d(skips[-1], 2)))
    x = skips.pop()
    for level in range(1, 5):
        outputs = width * 2 ** (4 - level)
        state[f"up{level}.up.weight"] = torch.randn(2 * outputs, outputs, 2, 2) / (8 * outputs) ** 0.5
        state.vector(f"up{level}.up.bias", outputs)
        skip = skips.pop()
        x = F.conv_transpose2d(x, *pair(state, f"up{level}.up"), stride=2)
        # An odd side was cut when it was halved: the row that is missing is put at the end.
        x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]))
        x = double(f"up{level}.conv", 2 * outputs, outputs, torch.cat([skip, x], 1))
    state.matrix("outc.conv", classes, width, 1, 1)
    return state, {}, [images], [F.conv2d(x, *pair(state, "outc.conv"))]


def recurrent(kind, width=12, layers=2, vocabulary=53):
    tokens = torch.randint(0, vocabulary, (2, 9))
    encoder, decoder = nn.Embedding(vocabulary, width), nn.Linear(width, vocabulary)
    rnn = getattr(nn, kind)(width, width, layers)
    state = {
        f"{name}.{key}": value
        for name, module in (("encoder", encoder), ("rnn", rnn), ("decoder", decoder))
        for key, value in module.state_dict().items()
    }
    output = decoder(rnn(encoder(tokens.T))[0]).transpose(0, 1)
    return state, {}, [tokens], [output]


def lenet():
    state, images = Weights(), torch.randn(2, 1, 28, 28)
    state.matrix("conv1", 6, 1, 5, 5)
    state.matrix("conv2", 16, 6, 5, 5)
    sizes = {"fc1": (120, 400), "fc2": (84, 120), "fc3": (10, 84)}
    x = F.pad(images, (2, 2, 2, 2))
    for name in ("conv1", "conv2"):
        x = F.max_pool2d(F.conv2d(x, *pair(state, name)).clamp(min=0), 2)
    x = x.flatten(1)
    for name, shape in sizes.items():
        state.matrix(name, *shape)
        x = state.apply(name, x if name == "fc1" else x.clamp(min=0))
    return state, {}, [images], [x]


def mlp():
    net = nn.Sequential(nn.Linear(7, 20), nn.ReLU(), nn.Dropout(), nn.Linear(20, 9, bias=False), nn.ReLU(), nn.Linear(9, 3))
    rows = torch.randn(4, 7)
    return net.state_dict(), {}, [rows], [net.eval()(rows)]


models = {
    "gpt2": gpt2,
    "llama": llama,
    "bert": bert,
    "distilbert": distilbert,
    "timm_vit": timm_vit,
    "unet": unet,
    "lstm": lambda: recurrent("LSTM"),
    "gru": lambda: recurrent("GRU"),
    "lenet": lenet,
    "mlp": mlp,
}


def main(folder):
    for name, make in models.items():
        torch.manual_seed(7)
        with torch.no_grad():
            state, config, inputs, outputs = make()
        saved = {"state": dict(state), "config": config, "inputs": inputs, "outputs": outputs}
        torch.save(saved, folder / f"{name}.pt")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

"""Models that give their parameters first values in the ways that people write."""

import copy
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 33), nn.ReLU(), nn.Dropout(0.1), nn.Linear(33, 3))


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, groups=4))
        self.head = nn.Linear(16, 10)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class ResNet(nn.Module):
    """As torchvision initialises it."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1), Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1))
        self.fc = nn.Linear(32, 10)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)):
                nn.init.constant_(m.weight, 1)
                nn.init.constant_(m.bias, 0)
        for m in self.modules():
            if isinstance(m, Block):
                nn.init.constant_(m.bn2.weight, 0)


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        mask = torch.tril(torch.ones(8, 8)).view(1, 1, 8, 8)
        self.register_buffer("bias", mask)


class GPT(nn.Module):
    """As nanoGPT initialises it: by apply, then by names; the head is tied."""

    def __init__(self):
        super().__init__()
        layers, width = 2, 24
        self.transformer = nn.ModuleDict(dict(
            wte=nn.Embedding(65, width),
            wpe=nn.Embedding(8, width),
            h=nn.ModuleList([Attention(width) for _ in range(layers)]),
            ln_f=nn.LayerNorm(width),
        ))
        self.lm_head = nn.Linear(width, 65, bias=False)
        self.transformer.wte.weight = self.lm_head.weight
        self.apply(self._init_weights)
        for pn, p in self.named_parameters():
            if pn.endswith("c_proj.weight"):
                torch.nn.init.normal_(p, mean=0.0, std=0.02 / math.sqrt(2 * layers))

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            module.weight.data.normal_(mean=0.0, std=0.02)


class BERTLike(nn.Module):
    """As transformers initialises: through data, the padding's row zero."""

    def __init__(self):
        super().__init__()
        self.word = nn.Embedding(50, 12, padding_idx=0)
        self.register_buffer("position_ids", torch.arange(16).expand((1, -1)))
        self.linear = nn.Linear(12, 12)
        self.norm = nn.LayerNorm(12, eps=1e-12)
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            module.weight.data.normal_(mean=0.0, std=0.02)
            if module.bias is not None:
                module.bias.data.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.data.normal_(mean=0.0, std=0.02)
            if module.padding_idx is not None:
                module.weight.data[module.padding_idx].zero_()
        elif isinstance(module, nn.LayerNorm):
            module.bias.data.zero_()
            module.weight.data.fill_(1.0)


class ViT(nn.Module):
    """As torchvision and timm initialise theirs."""

    def __init__(self):
        super().__init__()
        width = 32
        self.conv_proj = nn.Conv2d(3, width, 4, 4)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embedding = nn.Parameter(torch.empty(1, 17, width).normal_(std=0.02))
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 48), nn.GELU(), nn.Linear(48, width))
        self.head = nn.Linear(width, 10)
        fan_in = self.conv_proj.in_channels * self.conv_proj.kernel_size[0] * self.conv_proj.kernel_size[1]
        nn.init.trunc_normal_(self.conv_proj.weight, std=math.sqrt(1 / fan_in))
        nn.init.zeros_(self.conv_proj.bias)
        nn.init.trunc_normal_(self.class_token, std=0.02)
        for m in self.mlp:
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.normal_(m.bias, std=1e-6)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)


class LSTMModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30, 10)
        self.rnn = nn.LSTM(10, 12, num_layers=2, bidirectional=True, dropout=0.1)
        self.fc = nn.Linear(24, 5)
        self.embedding.weight.data.uniform_(-0.1, 0.1)
        self.fc.bias.data.zero_()
        for name, param in self.rnn.named_parameters():
            if "weight_ih" in name:
                nn.init.xavier_uniform_(param.data)
            elif "weight_hh" in name:
                for gate in param.chunk(4, 0):
                    nn.init.orthogonal_(gate)
            elif "bias" in name:
                param.data.fill_(0)
                n = param.size(0)
                param.data[n // 4:n // 2].fill_(1)


class Layers(nn.Module):
    """The defaults of every layer that has parameters."""

    def __init__(self):
        super().__init__()
        self.a = nn.Bilinear(5, 7, 3)
        self.b = nn.Conv1d(4, 6, 3)
        self.c = nn.Conv3d(2, 4, 2, bias=False)
        self.d = nn.ConvTranspose2d(6, 4, 3, groups=2)
        self.e = nn.ConvTranspose1d(3, 2, 2)
        self.f = nn.Embedding(11, 5, padding_idx=-1)
        self.g = nn.EmbeddingBag(9, 4)
        self.h = nn.GroupNorm(2, 6)
        self.i = nn.InstanceNorm2d(4, affine=True, track_running_stats=True)
        self.j = nn.RMSNorm(6)
        self.k = nn.PReLU(3)
        self.l = nn.GRU(5, 6)
        self.m = nn.RNN(5, 6, bias=False)
        self.n = nn.LSTM(5, 6, proj_size=3)
        self.o = nn.LSTMCell(4, 5)
        self.p = nn.GRUCell(4, 5)
        self.q = nn.RNNCell(4, 5, bias=False)
        self.r = nn.MultiheadAttention(8, 2, add_bias_kv=True)
        self.s = nn.MultiheadAttention(8, 2, bias=False, kdim=6, vdim=5)
        self.t = nn.Linear(3, 2)
        self.u = nn.LayerNorm([2, 3])
        self.v = nn.BatchNorm1d(3)
        self.t.reset_parameters()
        self.r._reset_parameters()


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.whole = nn.Transformer(16, 2, 2, 1, 20, batch_first=True)
        layer = nn.TransformerEncoderLayer(16, 4, 24)
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(16))
        self.copies = nn.ModuleList([copy.deepcopy(layer.linear1) for _ in range(2)])
        self.last = nn.Linear(16, 2)


class Computed(nn.Module):
    """Values that the source itself works out, of random numbers and of others."""

    def __init__(self):
        super().__init__()
        self.scaled = nn.Parameter(torch.randn(10, 7) * 0.02)
        self.rand = nn.Parameter(2 * torch.rand(5, 5) - 1)
        self.linear = nn.Linear(6, 6)
        self.linear.weight.data *= 0.5
        with torch.no_grad():
            self.linear.bias.div_(3).add_(1)
            self.linear.weight[0] = 7.0
            self.linear.weight[:, 1].copy_(torch.randn(6))
        self.turned = nn.Parameter(torch.empty(20, 18))
        nn.init.normal_(self.turned.t())
        nn.init.normal_(self.turned, std=0.1)
        self.halves = nn.Parameter(torch.zeros(8, 4))
        nn.init.xavier_uniform_(self.halves[:4])
        nn.init.kaiming_normal_(self.halves[4:], a=0.2, mode="fan_out")
        self.truncated = nn.Parameter(nn.init.trunc_normal_(torch.empty(40, 5), 0.1, 1.0, 0.8, 2.0))
        self.small = nn.Parameter(torch.empty(3))
        nn.init.trunc_normal_(self.small, std=0.5, a=-0.3, b=0.9)
        self.wide = nn.Parameter(nn.init.orthogonal_(torch.empty(4, 3, 2, 2), gain=1.5))
        self.tall = nn.Parameter(nn.init.orthogonal_(torch.empty(9, 4)))
        self.sparse = nn.Parameter(nn.init.sparse_(torch.empty(10, 4), 0.3))
        self.dirac = nn.Parameter(nn.init.dirac_(torch.empty(4, 2, 3, 3), groups=2))
        self.eye = nn.Parameter(nn.init.eye_(torch.empty(3, 4)))
        self.gain = nn.Parameter(
            nn.init.xavier_normal_(torch.empty(6, 5), gain=nn.init.calculate_gain("leaky_relu", 0.1)))
        self.list = nn.ParameterList([nn.Parameter(torch.full((2,), i / 10)) for i in range(3)])
        table = torch.normal(0.5, 2.0, (5, 4))
        self.given = nn.Embedding.from_pretrained(table, freeze=False)
        self.shared = nn.Parameter(table)
        self.register_buffer("order", torch.randperm(9))
        self.register_buffer("ids", torch.randint(2, 50, (3, 4)))
        self.register_buffer("whole", torch.normal(torch.zeros(4), torch.arange(4.0)))
        position = torch.arange(0, 12).unsqueeze(1)
        term = torch.exp(torch.arange(0, 6, 2) * (-math.log(10000.0) / 6))
        pe = torch.zeros(12, 6)
        pe[:, 0::2] = torch.sin(position * term)
        pe[:, 1::2] = torch.cos(position * term)
        self.register_buffer("pe", pe)
        torch.manual_seed(5)
        self.reseeded = nn.Linear(4, 4)
        self.last = nn.Parameter(torch.rand(3).log().neg())
        self.norm = nn.utils.spectral_norm(nn.Linear(5, 4))
        self.parametrized = nn.utils.parametrizations.spectral_norm(nn.Conv1d(3, 4, 2))
        self.weight_norm = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))

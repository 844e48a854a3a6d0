"""Vision transformers with timm's names: ViT and DeiT, with or without a distillation token."""
import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, width, heads, biased):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=biased)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        qkv = self.qkv(x).reshape(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(batch, length, width))


class MLP(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))


class LayerScale(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), 1e-5))

    def forward(self, x):
        return x * self.gamma


class Block(nn.Module):
    def __init__(self, width, heads, hidden, biased, scaled):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads, biased)
        self.ls1 = LayerScale(width) if scaled else nn.Identity()
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = MLP(width, hidden)
        self.ls2 = LayerScale(width) if scaled else nn.Identity()

    def forward(self, x):
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    def __init__(self, channels, width, patch):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """`places_first`: the class token has a place of its own, too; in DeiT III it has none."""

    def __init__(self, image, patch, depth, width, heads, hidden, biased=True, distilled=False, scaled=False,
                 places_first=True, channels=3, num_classes=1000):
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, width).normal_(std=1e-6))
        if distilled:
            self.dist_token = nn.Parameter(torch.empty(1, 1, width).normal_(std=1e-6))
        self.distilled, self.places_first = distilled, places_first
        first = 0 if not places_first else 2 if distilled else 1
        self.pos_embed = nn.Parameter(torch.empty(1, (image // patch) ** 2 + first, width))
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.patch_embed = PatchEmbed(channels, width, patch)
        self.blocks = nn.Sequential(*[Block(width, heads, hidden, biased, scaled) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, num_classes) if num_classes else nn.Identity()
        if distilled:
            self.head_dist = nn.Linear(width, num_classes)

    def forward(self, x):
        x = self.patch_embed(x)
        first = [self.cls_token.expand(x.shape[0], -1, -1)]
        if self.distilled:
            first.append(self.dist_token.expand(x.shape[0], -1, -1))
        if self.places_first:
            x = torch.cat([*first, x], dim=1) + self.pos_embed
        else:
            x = torch.cat([*first, x + self.pos_embed], dim=1)
        x = self.norm(self.blocks(x))
        if self.distilled:
            # In evaluation, DeiT takes the mean of both heads.
            return (self.head(x[:, 0]) + self.head_dist(x[:, 1])) / 2
        return self.head(x[:, 0])

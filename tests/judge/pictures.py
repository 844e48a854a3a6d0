"""Draws a picture, large and small, makes a small ResNet of 1,000 classes and a PNet for them, and
prints as JSON what PyTorch gives for the pictures, prepared by torchvision: {resnet, pnet: [boxes,
scores]}. Writes photo.png, small.png, resnet.pt and pnet.pt, which is the given file where there is one.

    pictures.py FOLDER [PNET]
"""

import importlib.util
import json
import pathlib
import shutil
import sys

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import nn
from torchvision import transforms

folder = pathlib.Path(sys.argv[1])
models = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "models"
torch.manual_seed(4)


def source(name):
    spec = importlib.util.spec_from_file_location(name, models / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


y, x = np.mgrid[0:110, 0:151]
noise = np.random.default_rng(4).normal(0, 8, (110, 151, 3))
sky = np.stack([120 + y, 150 + x / 2, 220 - y / 2], -1) + noise
photo = Image.fromarray(sky.clip(0, 255).astype("uint8"))
draw = ImageDraw.Draw(photo)
draw.ellipse((50, 20, 100, 90), fill=(224, 180, 150))
for left in (62, 80):
    draw.ellipse((left, 44, left + 9, 50), fill=(40, 30, 30))
draw.arc((62, 58, 88, 78), 20, 160, fill=(150, 40, 40), width=3)
small = photo.resize((34, 28))
photo.save(folder / "photo.png")
small.save(folder / "small.png")

resnet = source("resnet").tiny_resnet(num_classes=1000).eval()
for module in resnet.modules():
    if isinstance(module, nn.BatchNorm2d):
        nn.init.uniform_(module.weight, 0.5, 1.5)
        nn.init.normal_(module.bias, std=0.3)
        module.running_mean.normal_(std=0.3)
        module.running_var.uniform_(0.5, 2)
torch.save(resnet.state_dict(), folder / "resnet.pt")
pnet = source("pnet").PNet().eval()
if len(sys.argv) > 2:
    shutil.copy(sys.argv[2], folder / "pnet.pt")
    pnet.load_state_dict(torch.load(sys.argv[2]))
else:
    torch.save(pnet.state_dict(), folder / "pnet.pt")

statistics = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
steps = [transforms.Resize(72), transforms.CenterCrop(64), transforms.ToTensor(), statistics]
with torch.no_grad():
    logits = resnet(transforms.Compose(steps)(photo)[None])
    pixels = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].float()
    outputs = pnet((pixels - 127.5) / 128)
print(json.dumps({"resnet": logits[0].tolist(), "pnet": [output.flatten().tolist() for output in outputs]}))

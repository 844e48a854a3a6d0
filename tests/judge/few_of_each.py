"""Writes few_of_each.pt, the weights of `tests/fixtures/models/few_of_each.py`, and check.pt, an
input with what PyTorch computes of it.

    few_of_each.py FOLDER
"""

import importlib.util
import pathlib
import sys

import torch

models = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "models"
spec = importlib.util.spec_from_file_location("source", models / "few_of_each.py")
source = importlib.util.module_from_spec(spec)
spec.loader.exec_module(source)
folder = pathlib.Path(sys.argv[1])

torch.manual_seed(8)
model = source.FewOfEach().eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter.copy_(torch.randn(parameter.shape) * 0.5)
    model.batch.running_mean.normal_()
    model.batch.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 4, 8, 8)
    output = model(x)
torch.save(model.state_dict(), folder / "few_of_each.pt")
torch.save({"inputs": [x], "output": output}, folder / "check.pt")
print([tuple(tensor.shape) for tensor in output])

"""First values: what PyTorch's constructors draw after torch.manual_seed.

    initial.py SEED FOLDER NAME …

writes FOLDER/NAME.pt, the state_dict of each model of initial_models.py. A name that ends with .py is
a file beside it, whose `model` is made when the file runs.
"""

import pathlib
import runpy
import sys

import torch

import initial_models

seed, folder, *names = sys.argv[1:]
torch.set_num_threads(1)
for name in names:
    torch.manual_seed(int(seed))
    if name.endswith(".py"):
        model = runpy.run_path(pathlib.Path(__file__).parent / name)["model"]
    else:
        model = getattr(initial_models, name)()
    torch.save(dict(model.state_dict()), pathlib.Path(folder) / f"{name}.pt")

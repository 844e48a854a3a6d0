"""Loads every checkpoint of a run that was exported as a zip, with weights_only, and prints the
number that each one's weights are; and the epochs of its metrics.csv.

    kept_zip.py ZIP
"""

import csv
import io
import json
import pathlib
import sys
import zipfile

import torch

said = {}
with zipfile.ZipFile(sys.argv[1]) as run:
    for name in run.namelist():
        data = run.read(name)
        file = pathlib.PurePosixPath(name)
        if file.suffix == ".pt":
            weight = torch.load(io.BytesIO(data), weights_only=True)["model"]["w"]
            assert weight.unique().numel() == 1, name
            said[file.name] = int(weight[0])
        elif file.name == "metrics.csv":
            said["rows"] = [int(row["epoch"]) for row in csv.DictReader(io.StringIO(data.decode()))]
print(json.dumps(said))

"""Reads a comparison that was saved as CSV and JSON, and holds its numbers against NumPy's.

    compare_saved.py FOLDER

FOLDER has what compare.py wrote, saved.csv and saved.json. JSON has no NaN and no Infinity: they stand
there as texts that float() reads. Prints how many numbers were equal.
"""

import csv
import json
import math
import sys
from pathlib import Path

folder = Path(sys.argv[1])
expected = json.loads((folder / "expected.json").read_text())
with open(folder / "saved.csv", newline="") as file:
    table = {row["a"]: row for row in csv.DictReader(file)}
records = {row["a"]: row for row in json.loads((folder / "saved.json").read_text())}
assert set(table) == set(records) == set(expected), "other tensors"
count = 0
for name, judged in expected.items():
    measured, share = judged["measured"], judged["changed"] / judged["count"]
    wanted = {
        "elements": judged["count"],
        "changed": judged["changed"],
        "unmeasured": judged["unmeasured"],
        "max_abs_difference": measured["max"],
        "mean_abs_difference": measured["mean"],
        # What cannot be measured counts as the largest change.
        "max_relative_difference": math.inf if judged["unmeasured"] else measured["relative"],
        "norm_of_difference_over_norm": measured["norm"] / measured["norms"][0],
        "cosine": measured["cosine"],
        "changed_share": share,
    }
    for key, value in wanted.items():
        for saved in (table[name][key], records[name][key]):
            assert math.isclose(float(saved), value, rel_tol=1e-6, abs_tol=1e-6 if key == "cosine" else 0), (name, key, saved, value)
            count += 1
print(count)

"""Does in Python what the lab's edits do, and says whether the contents are the same.

    edits.py cast FOLDER     elements of every dtype that were cast to another one
"""

import json
import pathlib
import sys

import torch

folder = pathlib.Path(sys.argv[2])


def elements(name, dtype):
    data = bytearray((folder / name).read_bytes())
    return torch.frombuffer(data, dtype=torch.uint8).view(getattr(torch, dtype))


def bits(tensor):
    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    return tensor.view(integers[tensor.element_size()])


def cast():
    """Of each file `FROM.TO`: how many elements differ from `FROM`, cast; a NaN is a NaN."""
    for path in sorted(folder.glob("*.*")):
        source, target = path.name.split(".")
        given = elements(source, source)
        wanted, got = given.to(getattr(torch, target)), elements(path.name, target)
        nans = wanted.double().isnan() & got.double().isnan()
        wrong = ~nans & (bits(wanted) != bits(got))
        first = wrong.nonzero()[0].item() if wrong.any() else None
        # What is beyond the range: NaN or infinite, or cut to the largest number, but was not before.
        print(
            json.dumps(
                {
                    "from": source,
                    "to": target,
                    "count": given.numel(),
                    "wrong": int(wrong.sum()),
                    "first": first and [str(given[first]), str(wanted[first]), str(got[first])],
                    "underflowed": int(((wanted.double() == 0) & (given.double() != 0)).sum()),
                    "overflowed": overflowed(given.double(), wanted.double(), target),
                }
            )
        )


def overflowed(given, wanted, target):
    """Numbers that the dtype has not, even where the largest one stands for them."""
    if target == "float8_e4m3fn":
        return int((given.abs().float() > 464).sum())
    return int((~wanted.isfinite() & ~given.isnan() & (wanted != given)).sum())


if sys.argv[1] == "cast":
    cast()

"""Does in Python what the lab's edits do, and says whether the contents are the same.

    edits.py cast FOLDER     elements of every dtype that were cast to another one
    edits.py make FOLDER     checkpoints to edit, and of each edit what it should give: NAME.want.pt
    edits.py compare FOLDER  NAME.got.pt with NAME.want.pt

What each edit should give is said in edit_cases.py, merge_cases.py and lora_cases.py.
"""

import json
import math
import pathlib
import sys

import edit_cases
import lora_cases
import merge_cases
import torch
from describe import describe

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


sets = (edit_cases, merge_cases, lora_cases)


def make():
    """Files by their names, then what is wanted, from these files alone."""
    for cases in sets:
        cases.make_files(folder)
        for name, wanted in cases.wanted.items():
            torch.save(wanted(load), folder / f"{name}.want.pt")
    print(json.dumps([name for cases in sets for name in cases.wanted]))


def load(name):
    return torch.load(folder / f"{name}.pt", weights_only=True)


def compare():
    """What the first difference is, or null. A NaN is a NaN; some cases leave the last bit open."""
    for name, units in ((name, cases.apart.get(name, 0)) for cases in sets for name in cases.wanted):
        want, got = (load(f"{name}.{kind}") for kind in ("want", "got"))
        for one, other in zip(tensors(want), tensors(got)):
            equalise(one.detach(), other.detach(), units)
        texts = [json.dumps([describe(value), sizes(value)]) for value in (want, got)]
        at = next((at for at, (x, y) in enumerate(zip(*texts)) if x != y), None)
        same = texts[0] == texts[1]
        found = None if same else [text[max(0, (at or 0) - 200) : (at or 0) + 80] for text in texts]
        print(json.dumps({"name": name, "difference": found}))


def tensors(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from tensors(item)


def equalise(want, got, units):
    """Copies what differs by no more than `units` in the last place, and NaNs."""
    known = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
    is_plain = all(it.layout == torch.strided and not it.is_nested for it in (want, got))
    if not is_plain or want.dtype not in known or want.dtype != got.dtype or want.shape != got.shape:
        return
    # Sums along a whole tensor differ by their order, which in float64 is all that there is to see.
    units *= 64 if want.dtype == torch.float64 else 1
    (one, other), nans = (bits(it.contiguous()).long() for it in (want, got)), want.isnan() & got.isnan()
    close = (one - other).abs() <= units
    want.copy_(torch.where(nans, math.nan, torch.where(close, got, want)))
    got.copy_(torch.where(nans, math.nan, got))


def sizes(value):
    """Bytes of each tensor's storage."""
    strided = (it for it in tensors(value) if it.layout == torch.strided and not it.is_nested)
    return [it.untyped_storage().nbytes() for it in strided]


{"cast": cast, "make": make, "compare": compare}[sys.argv[1]]()

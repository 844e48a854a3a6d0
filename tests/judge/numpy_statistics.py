"""Makes tensors of every dtype and says what NumPy finds in them.

    statistics.py FOLDER

writes the storage of each tensor into FOLDER, and prints a line of JSON for each: where it lies, and
its statistics. Numbers are texts, so that integers and infinities stay what they are.
"""

import json
import pathlib
import sys

import numpy as np
import torch

folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(5)
QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
PARTS = 48
#: Reads that tensors come in are of 8 MiB.
LARGE = 8.2 * 2**20

FLOATS = {name: getattr(torch, name) for name in ["float64", "float32", "float16", "bfloat16"]}
FLOAT8 = ["e4m3fn", "e4m3fnuz", "e5m2", "e5m2fnuz", "e8m0fnu"]
FLOATS |= {f"float8_{kind}": getattr(torch, f"float8_{kind}") for kind in FLOAT8}
COMPLEX = {"complex32": "float16", "complex64": "float32", "complex128": "float64"}
INTEGERS = {name: name for name in ["int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64"]}
INTEGERS |= {"bool": "bool", "qint8": "int8", "quint8": "uint8", "qint32": "int32"}


def to_bits(values, dtype):
    """Numbers rounded to a dtype, as bytes."""
    if dtype in FLOATS:
        tensor = torch.from_numpy(np.asarray(values, dtype=np.float64)).to(FLOATS[dtype])
        return np.frombuffer(bytes(tensor.contiguous().view(torch.uint8).numpy()), np.uint8)
    if dtype in COMPLEX:
        return to_bits(values, COMPLEX[dtype])
    return np.asarray(values).astype(INTEGERS[dtype]).view(np.uint8)


def numbers(bits, dtype):
    """Bytes as numbers: floats as float64, integers as they are."""
    if bits.size == 0:
        return np.zeros(0)
    if dtype in FLOATS:
        return torch.from_numpy(bits.copy()).view(FLOATS[dtype]).double().numpy()
    if dtype in COMPLEX:
        return numbers(bits, COMPLEX[dtype])
    return bits.view(np.uint8 if dtype == "bool" else INTEGERS[dtype])


def size_of(dtype):
    if dtype in FLOATS:
        return FLOATS[dtype].itemsize
    return 2 * size_of(COMPLEX[dtype]) if dtype in COMPLEX else np.dtype(INTEGERS[dtype]).itemsize


def histogram(x, is_whole):
    bins, span = PARTS, None
    low, high = int(x.min()) if is_whole else 0, int(x.max()) if is_whole else 0
    if is_whole and high - low < 2**52 and abs(low) < 2**52:
        width = max(1, -(-(high - low + 1) // PARTS))
        bins = -(-(high - low + 1) // width)
        span = (low, low + bins * width)
    try:
        counts, edges = np.histogram(x.astype(np.float64), bins, span)
    except ValueError as error:
        assert "Too many bins" in str(error)
        return None
    return {"low": text(edges[0]), "high": text(edges[-1]), "counts": counts.tolist()}


def magnitudes(x, is_whole):
    x = x[x != 0]
    exponents = np.frexp(x.astype(np.float64))[1] - 1
    if is_whole:  # which a double may round up
        for at in np.flatnonzero(exponents >= 53):
            exponents[at] = abs(int(x[at])).bit_length() - 1
    values, counts = np.unique(exponents, return_counts=True)
    return [[int(value), int(count)] for value, count in zip(values, counts)]


def text(value):
    return None if value is None else str(value)


def statistics(x, dtype):
    is_whole = dtype in INTEGERS
    distinct = np.unique(x).size
    everything, x = x, x[np.isfinite(x)]
    found = {
        "count": everything.size,
        "zeros": int((x == 0).sum()),
        "nans": int(np.isnan(everything).sum()),
        "positiveInfinities": int((everything == np.inf).sum()),
        "negativeInfinities": int((everything == -np.inf).sum()),
        "distinct": distinct if distinct <= 65536 else None,
        "denormals": 0,
        "magnitudes": magnitudes(x, is_whole),
    }
    if not is_whole:
        real = FLOATS[COMPLEX.get(dtype, dtype)]
        found["denormals"] = int(((abs(x) < torch.finfo(real).smallest_normal) & (x != 0)).sum())
    if x.size == 0:
        none = dict.fromkeys(["min", "max", "mean", "std", "norm", "histogram"])
        return {**found, **none, "quantiles": []}
    y = x.astype(np.float64)
    # Of numbers close together, NumPy's mean is rounded by too much for their spread.
    apart = y - y[0] if np.ptp(y) < abs(y[0]) else y
    # Squares that leave float64 are scaled by a power of two.
    largest = abs(y).max()
    scale = 2.0**-600 if largest > 2**500 else 2.0**600 if 0 < largest < 2.0**-500 else 1
    return {
        **found,
        "min": text(x.min()),
        "max": text(x.max()),
        "mean": text(np.mean(y * scale) / scale),
        "std": text(np.std(apart * scale, ddof=1) / scale) if x.size > 1 else None,
        "norm": text(np.linalg.norm(y * scale) / scale),
        "quantiles": [text(value) for value in np.quantile(y, QUANTILES)],
        "histogram": histogram(x, is_whole),
    }


def case(name, dtype, bits, shape=None, strides=None, offset=0):
    """Says what is in a view of the bytes; the view counts elements of the dtype."""
    size = size_of(dtype)
    shape = [bits.size // size] if shape is None else shape
    if strides is None:
        strides = [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
    elements = np.lib.stride_tricks.as_strided(
        bits[offset * size :], [*shape, size], [*(stride * size for stride in strides), 1]
    )
    path = folder / f"{dtype}-{name}.bin"
    path.write_bytes(bits.tobytes())
    with np.errstate(all="ignore"):
        found = statistics(numbers(np.ascontiguousarray(elements).reshape(-1), dtype), dtype)
    view = {"dtype": dtype, "shape": shape, "strides": strides, "offset": offset}
    print(json.dumps({"name": name, "path": str(path), **view, "expected": found}))


def random_bits(dtype, count):
    bits = rng.integers(0, 256, count * size_of(dtype), dtype=np.uint8)
    if dtype == "bool":
        return bits & 1
    # More of what is rare: NaN, infinities, denormal numbers and zeros.
    real = COMPLEX.get(dtype, dtype)
    if real in ["float32", "float64"]:
        words = bits.view(np.uint32 if real == "float32" else np.uint64)
        exponent, sign = (0x7F800000, 2**31) if real == "float32" else (0x7FF << 52, 2**63)
        everything = 2 * sign - 1
        words[::5] |= words.dtype.type(exponent)
        words[::25] &= words.dtype.type(exponent | sign)
        words[1::5] &= words.dtype.type(everything ^ exponent)
        words[1::25] &= words.dtype.type(sign)
    return bits


def weights(dtype, count):
    parts = count * (2 if dtype in COMPLEX else 1)
    values = rng.normal(size=parts)
    if dtype == "bool":
        return to_bits(values > 1, dtype)
    if dtype in INTEGERS:
        low, high = np.iinfo(INTEGERS[dtype]).min, np.iinfo(INTEGERS[dtype]).max
        return to_bits(np.clip(np.rint(values * high / 8) + (low == 0) * (high // 2), low, high * 0.99), dtype)
    return to_bits(values * 0.02, dtype)


def sprinkled(dtype, count):
    """Weights with NaN, infinities, denormal numbers and zeros here and there."""
    bits = weights(dtype, count)
    if dtype in INTEGERS:
        return bits
    real = COMPLEX.get(dtype, dtype)
    words = bits.reshape(-1, size_of(real)).copy()
    tiny = torch.finfo(FLOATS[real]).smallest_normal / 2
    for at, value in enumerate([np.nan, np.inf, -np.inf, tiny, -tiny, 0, -0.0]):
        words[at::1009] = to_bits([value], real)
    return words.reshape(-1)


for dtype in [*FLOATS, *COMPLEX, *INTEGERS]:
    width = size_of(dtype)
    case("bits", dtype, random_bits(dtype, 90_000))
    case("weights", dtype, weights(dtype, 30_000), [100, 300])
    case("few", dtype, np.repeat(random_bits(dtype, 9).reshape(9, width), 50, axis=0).reshape(-1))
    case("one", dtype, weights(dtype, 1), [])
    case("none", dtype, np.zeros(0, np.uint8), [0, 3])
    case("constant", dtype, np.tile(weights(dtype, 1), 1000))
    case("view", dtype, random_bits(dtype, 24_000), [20, 30, 12], [3, 480, 40], 7)
    case("repeated", dtype, weights(dtype, 300), [10, 300], [0, 1])
# One dtype of each way in which numbers are counted; the others come in many small pieces.
for dtype in ["float64", "float32", "float16", "complex64", "int64", "uint64"]:
    case("large", dtype, sprinkled(dtype, int(LARGE / size_of(dtype))))

def close(mean, spread, count):
    return mean + spread * rng.normal(size=count)

case("close", "float32", to_bits(close(1e4, 1, 200_000), "float32"))
case("closer", "float32", to_bits(close(-1e4, 1e-2, 200_000), "float32"))
case("close", "float64", to_bits(close(1e8, 1e-4, 200_000), "float64"))
case("close to one", "float64", to_bits(1 + rng.integers(0, 2**17, 200_000) * 2.0**-52, "float64"))
case("sign by sign", "float64", to_bits(np.copysign(close(1e8, 1e-4, 200_000), rng.normal(size=200_000)), "float64"))
case("one far away", "float32", to_bits(np.r_[close(0, 1e-3, 100_000), 1e30, close(0, 1e-3, 10)], "float32"))
case("first far away", "float64", to_bits(np.r_[1e30, close(5, 1e-3, 100_000)], "float64"))
case("turned view", "float32", weights("float32", 2_400_000), [1100, 1000], [1, 2200], 3)

# On the edges of the parts, and beside them.
for name, (low, high) in {"edges": (-1, 1), "thirds": (-1 / 3, 0.7), "far": (1e6, 1e6 + 3), "tiny": (0, 4e-322)}.items():
    edges = np.linspace(low, high, PARTS + 1)
    beside = np.concatenate([np.nextafter(edges, -np.inf), edges, np.nextafter(edges, np.inf)])
    inside = np.clip(beside, low, high)
    case(name, "float64", to_bits(rng.choice(inside, 5000), "float64"))
    case(name, "float32", to_bits(rng.choice(inside, 5000), "float32"))
case("narrow", "float64", to_bits(1 + rng.integers(0, 9, 500) * 2.0**-52, "float64"))
case("narrow", "int64", to_bits(2**62 + rng.integers(0, 99, 500), "int64"))
case("extremes", "float64", to_bits(rng.choice([1.7e308, 3.0, 1e-310, 0.0], 500), "float64"))
case("indices", "int64", to_bits(rng.permutation(200_000), "int64"))
case("wide", "int64", to_bits(np.arange(2**53 - 40, 2**53 + 40), "int64"))

"""Says of each file whether `torch.load(weights_only=True)` takes it: reads paths from standard input,
a line each, prints a line of JSON for each: null, or the error. A file that crashes PyTorch counts
as refused; a fresh process goes on behind it.

    weights_only.py < PATHS
"""

import json
import os
import resource
import sys
import warnings

import torch

# What a file claims to need is not taken from this machine.
resource.setrlimit(resource.RLIMIT_AS, (16 * 2**30, 16 * 2**30))
warnings.simplefilter("ignore")
torch.set_num_threads(1)


def load(path):
    try:
        torch.load(path, map_location="cpu", weights_only=True)
        return None
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:300]


paths = sys.stdin.read().splitlines()
done = 0
while done < len(paths):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        with os.fdopen(write, "w") as file:
            for path in paths[done:]:
                print(json.dumps(load(path)), file=file, flush=True)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        for line in file:
            print(line, end="")
            done += 1
    _, status = os.waitpid(child, 0)
    if status:
        print(json.dumps(f"crash: status {status}"))
        done += 1

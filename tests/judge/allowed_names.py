"""Prints the names that `torch.load(weights_only=True)` knows, as a JSON list."""

import json

from torch._weights_only_unpickler import _get_allowed_globals

print(json.dumps(sorted(_get_allowed_globals())))

"""Runs snippets of Python, a JSON list of texts on standard input, and prints as a JSON list the
repr of what each leaves in `result`.
"""

import json
import sys

answers = []
for text in json.load(sys.stdin):
    names = {"__name__": "snippet"}
    exec(text, names)
    answers.append(repr(names["result"]))
print(json.dumps(answers))

"""A small embedding model as people download one: writes FOLDER/model.safetensors, config.json and
tokenizer.json. Prints some texts and the cosines of their vectors, the means of the last states:
{texts, cosines}. PyTorch takes the texts as a padded batch with a mask; what their tokens are, the
Python package `tokenizers` said (tests/fixtures/subwords.json).

    embedding.py FOLDER
"""

import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

root = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(root / "judge"))

from reference_models import bert  # noqa: E402

TEXTS = 4


def tokenizer(vocab):
    ids = {token: number for number, token in enumerate(vocab.splitlines())}
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "added_tokens": [{"id": ids[token], "content": token, **flags} for token in special],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "BertProcessing",
            "cls": ["[CLS]", ids["[CLS]"]],
            "sep": ["[SEP]", ids["[SEP]"]],
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": ids,
        },
    }


folder = pathlib.Path(sys.argv[1])
trained = json.loads((root / "fixtures/subwords.json").read_text())["bert uncased"]
cases = [case for case in trained["cases"] if case["text"] == case["text"].strip() and "\n" not in case["text"]]
cases = cases[:TEXTS]
lengths = [len(case["ids"]) for case in cases]
tokens = torch.zeros(TEXTS, max(lengths), dtype=torch.long)
for row, case in enumerate(cases):
    tokens[row, : lengths[row]] = torch.tensor(case["ids"])
mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()

torch.manual_seed(7)
with torch.no_grad():
    vocabulary = len(trained["vocab"].splitlines())
    state, _, _, (states, _) = bert(32, 4, vocabulary, (tokens, mask, torch.zeros_like(tokens)))
    vectors = F.normalize((states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True), dim=1)
save_file(dict(state), str(folder / "model.safetensors"))
config = {"architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu",
          "layer_norm_eps": 1e-12, "num_attention_heads": 4}
(folder / "config.json").write_text(json.dumps(config))
(folder / "tokenizer.json").write_text(json.dumps(tokenizer(trained["vocab"])))
print(json.dumps({"texts": [case["text"] for case in cases], "cosines": (vectors @ vectors.T).tolist()}))

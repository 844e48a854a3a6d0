"""The examples: stretches of a text, each with the tokens that follow its own."""

#: if tokenizer
from pathlib import Path

#: end
import torch
from tokenizers import _TOKENIZER_CLASS_  #: if tokenizer
from torch.utils.data import Dataset

BLOCK = _BLOCK_  # tokens of an example
STRIDE = _STRIDE_  # tokens from the start of one to the next one's
#: if tokenizer
HERE = Path(__file__).resolve().parent
TOKENIZER = _TOKENIZER_


def encode(text):
    return TOKENIZER.encode(text).ids


#: else
CHARACTERS = _CHARACTERS_
IDS = {character: index for index, character in enumerate(CHARACTERS)}


def encode(text):
    return [IDS[character] for character in text]


#: end
class Stretches(Dataset):
    def __init__(self, folder, files):
        texts = [(folder / name).read_text(encoding="utf-8") for name in files]
        self.tokens = torch.cat([torch.tensor(encode(text)) for text in texts])

    def __len__(self):
        return max(0, (len(self.tokens) - BLOCK - 1) // STRIDE + 1)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(index)
        start = index * STRIDE
        return self.tokens[start : start + BLOCK], self.tokens[start + 1 : start + 1 + BLOCK]


def load_data(folder):
    """Examples to train on and to validate with."""
    training = Stretches(folder, _FILES_)
    #: if held
    return training, Stretches(folder, _HELD_FILES_)
    #: else
    return training, training  # train.py says which are for what
    #: end

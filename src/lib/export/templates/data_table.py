"""The examples: rows of a table, their columns scaled and coded as they were for the model."""

import csv

import torch
from torch.utils.data import TensorDataset


#: if distinct
def distinct(names):
    """A second `a` is called `a.1`."""
    found = []
    for name in names:
        free, count = name, 0
        while free in found:
            count += 1
            free = f"{name}.{count}"
        found.append(free)
    return found


#: end
def read_columns(folder, files):
    """The cells of the columns, as text by their names."""
    columns = {name: [] for name in _COLUMNS_}
    for name in files:
        with open(folder / name, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file, delimiter=_SEPARATOR_) if row]
        #: if header
        header, *rows = rows
        names = [cell.strip() or f"column {at + 1}" for at, cell in enumerate(header)]
        names = distinct(names)  #: if distinct
        #: else
        names = [f"column {at + 1}" for at in range(len(rows[0]))]
        #: end
        for column, cells in columns.items():
            at = names.index(column)
            cells.extend(row[at].strip() for row in rows)
    return columns


#: if numbers
def numbers(cells, mean=0.0, std=1.0):
    values = torch.tensor([float(cell) for cell in cells], dtype=torch.float64)
    return ((values - mean) / std).unsqueeze(1)


#: end
#: if indices
def class_index(cells, categories):
    """Categories that are numbers are told by their value, however it is written."""
    read = str if isinstance(categories[0], str) else float
    indices = {category: index for index, category in enumerate(categories)}
    return torch.tensor([indices[read(cell)] for cell in cells]).unsqueeze(1)


#: end
#: if one_hot
def one_hot(cells, categories):
    return (class_index(cells, categories) == torch.arange(len(categories))).double()


#: end
def examples(columns):
    inputs = torch.cat(_FEATURES_, dim=1)
    targets = torch.cat(_TARGETS_, dim=1)
    return TensorDataset(
        inputs.to(_INPUT_DTYPE_).reshape(-1, _INPUT_SHAPE_),
        targets.to(_TARGET_DTYPE_).reshape(-1, _TARGET_SHAPE_),
    )


def load_data(folder):
    """Examples to train on and to validate with."""
    training = examples(read_columns(folder, _FILES_))
    #: if held
    return training, examples(read_columns(folder, _HELD_FILES_))
    #: else
    return training, training  # train.py says which are for what
    #: end

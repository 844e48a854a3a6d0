AUGMENT = transforms.Compose(_AUGMENT_)


class Augmented(Dataset):
    """Examples whose pictures are changed anew each time they are read."""

    def __init__(self, examples):
        self.examples = examples

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, index):
        inputs, targets = self.examples[index]
        return AUGMENT(inputs), targets  #: if not normalise
        return (AUGMENT(inputs * _STD_ + _MEAN_) - _MEAN_) / _STD_, targets  #: if normalise

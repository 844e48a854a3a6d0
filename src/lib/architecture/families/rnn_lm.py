"""Language models of LSTM, GRU or plain recurrent layers, with the names of PyTorch's example."""
from torch import nn


class RNNModel(nn.Module):
    def __init__(self, kind, vocabulary, embedding, hidden, layers, tied=False, biased=True):
        super().__init__()
        self.encoder = nn.Embedding(vocabulary, embedding)
        if kind == "LSTM":
            self.rnn = nn.LSTM(embedding, hidden, layers, batch_first=True)
        elif kind == "GRU":
            self.rnn = nn.GRU(embedding, hidden, layers, batch_first=True)
        else:
            self.rnn = nn.RNN(embedding, hidden, layers, nonlinearity="tanh", batch_first=True)
        self.decoder = nn.Linear(hidden, vocabulary, bias=biased)
        if tied:
            self.decoder.weight = self.encoder.weight

    def forward(self, tokens):
        """(N, T) to logits (N, T, vocabulary), from a state of zeros"""
        outputs, _ = self.rnn(self.encoder(tokens))
        return self.decoder(outputs)

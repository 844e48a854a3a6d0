import { describe, expect, it } from 'vitest';
import { snippet, subscript } from './snippet.ts';

const subject = { name: 'best.pt', model: 'Net(width=8)', module: 'model', stateDict: "['model']" };

describe('snippet', () => {
  it('gives the model the new head that the weights are of', () => {
    const choice = { contents: 'weights', format: 'safetensors' } as const;
    const head = { module: 'classifier.1', outputs: 3, isLinear: true };
    expect(snippet({ ...subject, name: 'a.safetensors', choice, head })).toBe(
      `import torch
from safetensors.torch import load_file
from model import Net

model = Net(width=8)
head = model.get_submodule("classifier.1")
model.set_submodule("classifier.1", torch.nn.Linear(head.in_features, 3, bias=head.bias is not None))
weights = load_file("a.safetensors")
model.load_state_dict(weights)`,
    );
    const conv = { module: 'head', outputs: 2, isLinear: false };
    expect(
      snippet({ ...subject, choice: { contents: 'weights', format: 'pt' }, head: conv }),
    ).toContain(
      'torch.nn.Conv2d(head.in_channels, 2, head.kernel_size, head.stride, head.padding, ',
    );
  });

  it('loads weights and checkpoints in every format', () => {
    expect(snippet({ ...subject, choice: { contents: 'weights', format: 'pt' } })).toBe(
      `import torch
from model import Net

model = Net(width=8)
weights = torch.load("best.pt", map_location="cpu", weights_only=True)
model.load_state_dict(weights)`,
    );
    expect(snippet({ ...subject, choice: { contents: 'checkpoint', format: 'pt' } })).toBe(
      `import torch
from model import Net

model = Net(width=8)
checkpoint = torch.load("best.pt", map_location="cpu", weights_only=True)
model.load_state_dict(checkpoint['model'])`,
    );
    const choice = { contents: 'weights', format: 'safetensors' } as const;
    expect(snippet({ ...subject, name: 'a"b.safetensors', choice })).toContain(
      'weights = load_file("a\\"b.safetensors")',
    );
    const arrays = { contents: 'weights', format: 'npz' } as const;
    expect(snippet({ ...subject, name: 'a.npz', choice: arrays })).toBe(
      `import numpy
import torch
from model import Net

model = Net(width=8)
with numpy.load("a.npz") as arrays:
    weights = {key: torch.from_numpy(arrays[key]) for key in arrays.files}
model.load_state_dict(weights)`,
    );
  });

  it('joins shards', () => {
    const choice = { contents: 'weights', format: 'safetensors', sharded: true } as const;
    expect(snippet({ ...subject, name: 'run_shards', choice })).toBe(
      `from pathlib import Path
from safetensors.torch import load_file
from model import Net

model = Net(width=8)
weights = {}
for shard in sorted(Path("run_shards").glob("*.safetensors")):
    weights.update(load_file(shard))
model.load_state_dict(weights)`,
    );
    const pickled = { ...choice, format: 'bin' } as const;
    expect(snippet({ ...subject, name: 'run_shards', choice: pickled })).toContain(
      'glob("*.bin")):\n    weights.update(torch.load(shard, map_location="cpu", weights_only=True))',
    );
  });

  it('uses an instance of the source as it is', () => {
    const choice = { contents: 'weights', format: 'pt' } as const;
    expect(snippet({ ...subject, model: 'model', choice })).toBe(
      `import torch
from model import model

weights = torch.load("best.pt", map_location="cpu", weights_only=True)
model.load_state_dict(weights)`,
    );
  });

  it('makes subscripts of labels', () => {
    expect(subscript('')).toBe('');
    expect(subscript("['a']['b']")).toBe("['a']['b']");
    expect(subscript('the whole file')).toBe('');
  });
});

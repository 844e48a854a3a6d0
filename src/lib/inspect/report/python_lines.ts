import { quote } from '../repr.ts';

/** Names are short; what is longer is cut as everywhere. */
const LONGEST_NAME = 1000;

interface Loaded {
  /** Name of the format's table entry, `sharded` (of .safetensors), `sharded-bin` or `dcp`. */
  readonly format: string;
  /** Of the file or folder. */
  readonly name: string;
  /** How Python reaches the model's state_dict: `['model']`; nothing for the whole; null where there is none. */
  readonly stateDict: string | null;
}

/** The Python that loads a file, as one would type it; null where nothing of PyTorch reads it. */
export function pythonLines({ format, name, stateDict }: Loaded): string | null {
  const file = quote(name, LONGEST_NAME);
  const load = loading(format, file);
  if (!load) return null;
  const [lines, variable] = load;
  const isModule = variable === 'model' || variable === 'program';
  return [
    ...lines,
    ...(stateDict === null || isModule ? [] : [`model.load_state_dict(${variable}${stateDict})`]),
  ].join('\n');
}

/** Lines, and the name of what they give. */
function loading(format: string, file: string): [lines: string[], variable: string] | null {
  switch (format) {
    case 'torch':
    case 'torch-legacy':
    case 'torch-tar':
      return [
        ['import torch', `checkpoint = torch.load(${file}, map_location='cpu', weights_only=True)`],
        'checkpoint',
      ];
    case 'torchscript':
      return [['import torch', `model = torch.jit.load(${file}, map_location='cpu')`], 'model'];
    case 'pt2':
      return [['import torch', `program = torch.export.load(${file})`], 'program'];
    case 'safetensors':
      return [
        ['from safetensors.torch import load_file', `weights = load_file(${file})`],
        'weights',
      ];
    case 'npz':
      return [
        [
          'import numpy, torch',
          `with numpy.load(${file}) as arrays:`,
          '    weights = {key: torch.from_numpy(arrays[key]) for key in arrays.files}',
        ],
        'weights',
      ];
    case 'npy':
      return [['import numpy', `array = numpy.load(${file})`], 'array'];
    case 'gguf':
      return [['from gguf import GGUFReader', `reader = GGUFReader(${file})`], 'reader'];
    case 'dcp':
      return [
        [
          'import torch',
          'from torch.distributed.checkpoint.format_utils import dcp_to_torch_save',
          `dcp_to_torch_save(${file}, 'checkpoint.pt')`,
          "checkpoint = torch.load('checkpoint.pt', map_location='cpu', weights_only=True)",
        ],
        'checkpoint',
      ];
    case 'sharded':
      return shards(
        'from safetensors.torch import load_file',
        `${file}).glob('*.safetensors'`,
        'load_file(shard)',
      );
    case 'sharded-bin':
      return shards(
        'import torch',
        `${file}).glob('*.bin'`,
        "torch.load(shard, map_location='cpu', weights_only=True)",
      );
    default:
      return null;
  }
}

function shards(importing: string, files: string, load: string): [string[], string] {
  return [
    [
      'from pathlib import Path',
      importing,
      'weights = {}',
      `for shard in sorted(Path(${files})):`,
      `    weights.update(${load})`,
    ],
    'weights',
  ];
}

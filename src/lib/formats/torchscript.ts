/**
 * Reads what `torch.jit.save` writes since PyTorch 1.4: `data.pkl` (the module), `constants.pkl`
 * (tensors that the code names), their storages in `data/` and `constants/`, and `code/`. Weights,
 * buffers and attributes are read; of the code, the lines that tell parameters from buffers, and all
 * of it as text for whoever asks for the program. The root is `{model, constants}`.
 */
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { dict, type Global } from '#lib/checkpoint/value.ts';
import { readEntry, type Zip } from '#lib/file/zip.read.ts';
import { Budget, readPickle } from '#lib/pickle/read.ts';
import type { Format } from './format.ts';
import { interpret } from './torch.interpret.ts';
import { byteorderOf, onlyRoot, pickleRecord, recordStorages, rootsWith } from './torch.records.ts';
import { judge, recordsOf, union } from './torch.safety.ts';
import { readClasses, readCode } from './torchscript.code.ts';
import { interpretScript, isScriptName } from './torchscript.interpret.ts';

/** Classes that a message lists. */
const MAX_LISTED = 8;
/** `version` is a number of a few digits. */
const MAX_VERSION = 16;

export const torchScript: Format = {
  name: 'torchscript',
  title: 'TorchScript archive',
  extensions: ['.pt', '.pth', '.ptl'],

  match: ({ zip }) =>
    zip !== null && (rootsWith(zip, 'data.pkl').some((root) => isScript(zip, root)) || isOld(zip)),

  async read({ source, zip }, signal) {
    if (isOld(zip!)) throw tooOld();
    const root = onlyRoot(zip!);
    const byteorder = await byteorderOf(zip!, root, signal);
    const budget = new Budget();
    const read = async (record: string, folder: string) => {
      const bytes = await pickleRecord(zip!, root, record, signal);
      const pickle = readPickle(bytes, 0, budget);
      const storageOf = recordStorages(zip!, root, folder, byteorder);
      return { pickle, value: interpret(pickle.value, storageOf) };
    };
    const data = await read('data.pkl', 'data');
    const constants = await read('constants.pkl', 'constants');
    const both = union([data.pickle, constants.pickle]);
    const names = both.names.map(({ global }) => global);
    const scriptNames = names.filter(({ module }) => isScriptName(module));
    const classes = await readClasses(zip!, root, scriptNames, signal);
    const opaque = new Set<string>();
    const [model, tensors] = [data, constants].map(({ value }) =>
      interpretScript(value, classes, (name) => opaque.add(name)),
    );
    return {
      name: source.name,
      format: 'torchscript',
      size: source.size,
      root: dict({ model: model!, constants: tensors! }),
      metadata: new Map([
        ['TorchScript version', await versionOf(zip!, root, signal)],
        ['byteorder', byteorder],
        ['pickle protocol', String(data.pickle.protocol)],
      ]),
      findings: [
        runsCode,
        ...opaqueClasses(opaque),
        // Its own classes are in the archive; torch.jit.load looks nothing else up.
        ...judge({ ...both, names: both.names.filter(({ global }) => !isOwn(global)) }),
      ],
      calls: recordsOf(both),
      program: { kind: 'torchscript', read: (signal) => readCode(zip!, root, signal) },
    };
  },
};

/** torch.load takes an archive for a script by its constants; code without them is a damaged one. */
function isScript(zip: Zip, root: string): boolean {
  if (zip.entries.has(`${root}constants.pkl`)) return true;
  return [...zip.entries.keys()].some((name) => name.startsWith(`${root}code/`));
}

function isOld(zip: Zip): boolean {
  return rootsWith(zip, 'model.json').length > 0 && rootsWith(zip, 'data.pkl').length === 0;
}

function isOwn({ module }: Global): boolean {
  return isScriptName(module) || module === 'torch.jit._pickle';
}

const runsCode: Finding = {
  code: 'torch-script',
  severity: 'info',
  message: 'a TorchScript archive: torch.jit.load runs its code; the lab reads it as data',
  advice:
    'Save the weights here as a .pt or .safetensors to get a file that holds nothing that could run.',
};

function opaqueClasses(names: ReadonlySet<string>): Finding[] {
  if (names.size === 0) return [];
  const shown = [...names].slice(0, MAX_LISTED).join(', ');
  const more = names.size > MAX_LISTED ? ` and ${names.size - MAX_LISTED} more` : '';
  return [
    {
      code: 'torch-script-opaque',
      severity: 'warning',
      message: `torchscript: what ${shown}${more} keeps is restored by code: it is shown as data and is missing in the state_dict`,
      advice: 'Load the file with torch.jit.load, where you trust it, and save its state_dict.',
    },
  ];
}

function tooOld(): FindingError {
  return new FindingError({
    code: 'torch-script-old',
    message:
      'torchscript: the archive describes its model in model.json, as PyTorch before 1.4 did',
    advice:
      'Load it with torch.jit.load, where you trust it, and save it again with torch.jit.save, or its state_dict with torch.save.',
  });
}

/** The record `version`: of the archive's layout and of the operators that the code uses. */
async function versionOf(zip: Zip, root: string, signal?: AbortSignal): Promise<string> {
  const entry = zip.entries.get(`${root}version`);
  if (!entry || entry.size > MAX_VERSION) return 'unknown';
  const text = new TextDecoder().decode(await readEntry(zip, entry, signal)).trim();
  return /^\d+$/.test(text) ? text : 'unknown';
}

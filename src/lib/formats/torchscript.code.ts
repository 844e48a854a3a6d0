/**
 * What the code of a TorchScript archive says about its classes: which attributes are parameters,
 * which are buffers. A class `__torch__.a.b.Net` lies in `code/__torch__/a/b.py`; PyTorch's printer
 * (torch/csrc/jit/serialization/python_print.cpp) writes one line for each of these facts, and only
 * those lines are read. The rest is for an evaluator; nothing of it runs here.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Global } from '#lib/checkpoint/value.ts';
import { readEntry, type Zip } from '#lib/file/zip.read.ts';

/** Code of one archive that is looked through; large models have about 2 MB of it. */
const MAX_CODE = 32 * 2 ** 20;

export interface ScriptClass {
  /** Whether it is an nn.Module; scripts have plain classes, too. */
  readonly isModule: boolean;
  readonly parameters: ReadonlySet<string>;
  readonly buffers: ReadonlySet<string>;
  /** Attributes of the type Tensor: `state_dict()` leaves out a buffer that may also be None. */
  readonly tensors: ReadonlySet<string>;
}

/** `class Net(Module):`, `class Pair(NamedTuple):`, `class Plain:`. */
const CLASS = /^class (\w+)(?:\((\w+)\))?:$/;
/** `  __parameters__ = ["weight", "bias", ]`. */
const NAMES = /^ {2}__(parameters|buffers)__ = \[(.*)\]$/;
/** `  weight : Tensor`, or `  __annotations__["0"] = Tensor` where the name is none of Python's. */
const TENSOR = /^ {2}(?:(\w+) : Tensor|__annotations__\["((?:[^"\\]|\\.)*)"\] = Tensor)$/;
/** A string of the printer, which escapes quotes and backslashes, and the comma behind it. */
const QUOTED = /"((?:[^"\\]|\\.)*)", ?/y;

/** The classes of one source file, by name. */
export function parseClasses(code: string): Map<string, ScriptClass> {
  const classes = new Map<string, ScriptClass>();
  const none = () => ({
    parameters: new Set<string>(),
    buffers: new Set<string>(),
    tensors: new Set<string>(),
  });
  let sets = none();
  for (const [line] of code.matchAll(/^.+$/gm)) {
    const opened = CLASS.exec(line);
    if (opened) {
      sets = none();
      classes.set(opened[1]!, { isModule: opened[2] === 'Module', ...sets });
      continue;
    }
    const [, which, list] = NAMES.exec(line) ?? [];
    if (which === 'parameters' || which === 'buffers') {
      for (const text of quotedTexts(list!)) sets[which].add(unquoted(text));
      continue;
    }
    const [, name, quoted] = TENSOR.exec(line) ?? [];
    if (name !== undefined) sets.tensors.add(name);
    else if (quoted !== undefined) sets.tensors.add(unquoted(quoted));
  }
  return classes;
}

/** Sticky, as the list is read from its front: what follows no comma ends it. */
function* quotedTexts(list: string): Generator<string> {
  const pattern = new RegExp(QUOTED);
  for (let found = pattern.exec(list); found; found = pattern.exec(list)) yield found[1]!;
}

const LETTERS = new Map(
  Object.entries({ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }),
);

/** Takes back `printQuotedString` (torch/csrc/jit/frontend/strtod.h): letters, or octal bytes of UTF-8. */
function unquoted(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes: number[] = [];
  for (const [part, octal, letter] of text.matchAll(/\\([0-7]{3})|\\(.)|[^\\]+/gs)) {
    if (octal !== undefined) bytes.push(parseInt(octal, 8) & 0xff);
    else {
      const plain = letter === undefined ? part : (LETTERS.get(letter) ?? letter);
      for (const byte of new TextEncoder().encode(plain)) bytes.push(byte);
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/**
 * Reads the classes that the names of a pickle stand for, by their names `module.name`. A class
 * without code is not among them.
 */
export async function readClasses(
  zip: Zip,
  root: string,
  names: readonly Global[],
  signal?: AbortSignal,
): Promise<Map<string, ScriptClass>> {
  const modules = new Set(names.map(({ module }) => module));
  const classes = new Map<string, ScriptClass>();
  let total = 0;
  for (const module of modules) {
    const entry = zip.entries.get(`${root}code/${module.replaceAll('.', '/')}.py`);
    if (!entry) continue;
    total = counted(total, entry.size);
    const code = new TextDecoder().decode(await readEntry(zip, entry, signal));
    for (const [name, found] of parseClasses(code)) classes.set(`${module}.${name}`, found);
  }
  return classes;
}

/** All files of the code by their paths below `code/`. */
export async function readCode(
  zip: Zip,
  root: string,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const prefix = `${root}code/`;
  const files = new Map<string, string>();
  let total = 0;
  for (const [name, entry] of zip.entries) {
    if (!name.startsWith(prefix) || !name.endsWith('.py')) continue;
    total = counted(total, entry.size);
    const text = new TextDecoder().decode(await readEntry(zip, entry, signal));
    files.set(name.slice(prefix.length), text);
  }
  return files;
}

function counted(total: number, size: number): number {
  if (total + size <= MAX_CODE) return total + size;
  throw new FindingError({
    code: 'torchscript-code',
    message: `torchscript: the code takes ${total + size} bytes and more, the limit is ${MAX_CODE}`,
    advice: 'The archive was not written by PyTorch: get it from a source that you trust.',
  });
}

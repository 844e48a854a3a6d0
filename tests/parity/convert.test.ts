/**
 * Checkpoints of every format in every one that is written, contents as PyTorch, safetensors and
 * NumPy read them before and after; and a nested checkpoint that goes through safetensors and back.
 */
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { shardKinds } from '#lib/formats/sharded.write.ts';
import { Lab } from '#lib/worker/lab.ts';
import type { Calls, Edit, EditOutput, Finding } from '#lib/worker/protocol.ts';
import type { Description } from '../fixtures/describe.ts';
import { fixturesOf } from '../fixtures/made.ts';
import { runPython } from '../python.ts';
import { judgeWritten, load, type Judgement } from './judge.ts';
import { unwrap } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-convert-'));
afterAll(() => rmSync(folder, { recursive: true }));
await runPython('tests/fixtures/conversions.py', [folder]);

const context = { signal: new AbortController().signal, progress: () => {} };
/** Small, so that most checkpoints come to several shards. */
const SHARD_SIZE = 100;
const plainOutput = { sharded: false, separator: '.', keepTree: true };

/** A file, or the files of a folder. */
function dropped(path: string): Calls['open']['args'] {
  const file = (at: string) => new File([readFileSync(at)], basename(at));
  if (!statSync(path).isDirectory()) return { file: file(path) };
  const files = readdirSync(path).map((name) => ({ path: name, file: file(join(path, name)) }));
  return { name: basename(path), files };
}

const stem = (name: string) => name.replace('.', '_');

/** Opens a checkpoint, edits it, writes it; gives what is said of it before, and where it is. */
async function convert(
  path: string,
  output: EditOutput,
  edits: readonly Edit[] = [],
  shardSize?: number,
): Promise<{ path: string; losses: Finding[] }> {
  const { handlers } = new Lab();
  unwrap(await handlers.open(dropped(path), context));
  const { preview } = unwrap(await handlers.previewEdits({ edits }, context));
  expect(preview.steps.flatMap(({ findings }) => findings)).toEqual([]);
  const losses = await handlers.editLosses({ id: preview.id, output }, context);
  const name = `${stem(basename(path))}${shardSize ?? ''}.${output.format}`;
  const args = { id: preview.id, output, name, shardSize };
  const { saved } = unwrap(await handlers.saveEdited(args, context));
  expect(saved.verified).toBe(true);
  const to = join(folder, `made_${saved.file!.name}`);
  writeFileSync(to, new Uint8Array(await saved.file!.arrayBuffer()));
  return { path: to, losses };
}

/** Of a description, what may have tensors in it. */
interface Parts {
  readonly tensor?: Description;
  readonly dict?: readonly [key: Description, item: Description][];
  readonly list?: readonly Description[];
  readonly tuple?: readonly Description[];
}
type Elements = [dtype: string, shape: unknown, hex: unknown];

/** The elements of every tensor by its keys, joined. */
function elements(description: unknown): Record<string, Elements> {
  const found: Record<string, Elements> = {};
  const visit = (value: Description, path: readonly string[]): void => {
    const { tensor, dict, list, tuple } = value as Parts;
    if (tensor) {
      const { dtype, shape, hex } = tensor;
      found[path.join('.')] = [dtype as string, shape, hex];
    }
    for (const [key, item] of dict ?? []) visit(item, [...path, String(Object.values(key)[0])]);
    for (const [at, item] of (list ?? tuple ?? []).entries()) visit(item, [...path, String(at)]);
  };
  visit(description as Description, []);
  return found;
}

/** Dtypes that a format has no form for. */
const lacking: Readonly<Partial<Record<EditOutput['format'], RegExp>>> = {
  npz: /^(bfloat16|float8_)/,
  pth: /^(float8_|uint(16|32|64)$)/,
};

/** Sources whose own library reads them, and those whose contents were saved beside them. */
const sources = ['views.pt', 'old.pth', 'flat.safetensors', 'arrays.npz', 'nested.pt'];
const others = ['script.pt', 'exported.pt2', 'array.npy', 'arrays.pkl', 'model.gguf'];
const targets = ['pt', 'pth', 'safetensors', 'npz'] as const;
const original = await load([
  ...sources.map((name) => join(folder, name)),
  ...others.map((name) => join(folder, 'want', `${name}.pt`)),
]);
const folders = await fixturesOf<Judgement & { name: string; code?: string }>(
  'tests/fixtures/folders.py',
  { parts: ['tests/judge/describe.py'] },
);
const all = [
  ...[...sources, ...others].map((name, at) => {
    const contents = elements(original[at]!.root);
    return { name, path: join(folder, name), contents };
  }),
  ...folders
    .filter(({ code }) => code === undefined)
    .map(({ name, path, root }) => ({ name, path, contents: elements(root) })),
];

const outputs: readonly EditOutput[] = [
  ...targets.map((format) => ({ ...plainOutput, format })),
  ...(['pt', 'safetensors'] as const).map((format) => ({
    ...plainOutput,
    sharded: true,
    keepTree: false,
    format,
  })),
];

/** Everything is converted first, and judged at once. */
async function convertAll() {
  const made = [];
  for (const { name, path, contents } of all) {
    for (const output of outputs) {
      const lacks = output.sharded ? undefined : lacking[output.format];
      const names = Object.keys(contents).filter((key) => lacks?.test(contents[key]![0]) ?? false);
      const edits = names.length > 0 ? [{ kind: 'drop', names } as const] : [];
      if (names.length > 0) {
        await expect(convert(path, output)).rejects.toThrow(/has no (float8|bfloat|uint)/);
      }
      const converted = await convert(path, output, edits, output.sharded ? SHARD_SIZE : undefined);
      const kept = Object.entries(contents).filter(([key]) => !names.includes(key));
      // A tensor alone is called as the file, where it needs a name.
      const isNamed = output.sharded || !['pt', 'pth'].includes(output.format);
      const alone = isNamed ? `${stem(name)}${output.sharded ? SHARD_SIZE : ''}` : '';
      const expected = Object.fromEntries(kept.map(([key, it]) => [key || alone, it]));
      const to = `${output.sharded ? 'shards of ' : ''}${output.format}`;
      made.push({ ...converted, name: `${name} to ${to}`, output, expected });
    }
  }
  const flat = made.find(({ name }) => name === 'nested.pt to safetensors')!;
  const edits = [{ kind: 'unflatten', separator: '.' } as const];
  const back = await convert(flat.path, { ...plainOutput, format: 'pt' }, edits);
  const sharded = { ...plainOutput, format: 'safetensors', sharded: true } as const;
  const joined = [];
  for (const shardSize of [200, undefined]) {
    const zip = await convert(join(folder, 'nested.pt'), sharded, [], shardSize);
    const hasIndex = readFileSync(zip.path).includes('model.safetensors.index.json');
    expect(hasIndex).toBe(shardSize !== undefined);
    expect(zip.losses.filter(({ severity }) => severity !== 'info')).toEqual([]);
    joined.push(await convert(zip.path, { ...plainOutput, format: 'pt' }, edits));
  }
  const again = join(folder, 'noted.safetensors');
  copyFileSync(join(folder, 'flat.safetensors'), again);
  const entries = { by: null, 'a note\n': '"é"' };
  const noted = await convert(again, { ...plainOutput, format: 'safetensors' }, [
    { kind: 'metadata', entries },
    { kind: 'metadata', entries: { more: '' } },
  ]);
  const single = made.filter(({ output }) => !output.sharded);
  const written = [...single, noted, back, ...joined];
  const judged = await judgeWritten(written.map(({ path }) => path));
  const shards = made.filter(({ output }) => output.sharded);
  return {
    files: single.map((it, at) => ({ ...it, judged: judged[at]! })),
    shards: await judgeShards(shards),
    noted: judged[single.length]!,
    back: judged.slice(single.length + 1),
  };
}

/** Joined by their indexes, which say where each tensor is and how large all are. */
async function judgeShards<Made extends { path: string; output: EditOutput; expected: object }>(
  made: readonly Made[],
) {
  const input = made.map(({ path, output: { format }, expected }) => {
    const { stem, extension } = shardKinds[format === 'pt' ? 'bin' : 'safetensors'];
    return { folder: path, stem, extension, size: null, keys: Object.keys(expected) };
  });
  const options = { input: JSON.stringify(input) };
  const lines = (await runPython('tests/judge/sharded.py', [], options)).trim().split('\n');
  return made.map((it, at) => ({
    ...it,
    judged: JSON.parse(lines[at]!) as Judgement & { files: number },
  }));
}
const { files, shards, back, noted } = await convertAll();

it.each(files)('$name', ({ losses, expected, judged }) => {
  expect(losses.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(judged.error).toBeUndefined();
  expect(judged).toMatchObject({ weights_only: true });
  expect(Object.keys(expected)).not.toEqual([]);
  expect(elements(judged.root)).toEqual(expected);
});

it.each(shards)('$name', ({ losses, expected, judged }) => {
  expect(losses.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(judged.error).toBeUndefined();
  expect(elements(judged.root)).toEqual(expected);
});

it('writes several shards of most', () => {
  const several = shards.filter(({ judged }) => judged.files > 1);
  expect(several.length).toBeGreaterThan(15);
});

it('says what a nested checkpoint loses, before it does', async () => {
  const path = join(folder, 'views.pt');
  const told = async (output: EditOutput) => {
    const { handlers } = new Lab();
    unwrap(await handlers.open({ file: new File([readFileSync(path)], 'views.pt') }, context));
    const { preview } = unwrap(await handlers.previewEdits({ edits: [] }, context));
    const losses = await handlers.editLosses({ id: preview.id, output }, context);
    return losses.map(({ code, severity }) => `${severity} ${code}`);
  };
  const views = ['warning loss-overlap', 'info loss-views'];
  const flat = ['info loss-nested', 'info loss-values', 'info loss-facts', 'info loss-ties'];
  expect(await told({ ...plainOutput, format: 'pt' })).toEqual([]);
  expect(await told({ ...plainOutput, format: 'safetensors' })).toEqual([...flat, ...views]);
  const lost = flat.map((it) => (it === 'info loss-nested' ? it : it.replace('info', 'warning')));
  expect(await told({ ...plainOutput, keepTree: false, format: 'safetensors' })).toEqual([
    ...lost,
    ...views,
  ]);
  expect((await told({ ...plainOutput, format: 'npz' })).slice(6)).toEqual(
    Array<string>(5).fill('error loss-dtype'),
  );
});

it.each(['one file', 'shards', 'one shard'])(
  'comes back from safetensors as it was, value by value, ties too: %s',
  (how) => {
    const at = ['one file', 'shards', 'one shard'].indexOf(how);
    expect(back[at]!.root).toEqual(original[sources.indexOf('nested.pt')]!.root);
  },
);

it('has the metadata that transformers asks for', () => {
  const flat = files.find(({ name }) => name === 'nested.pt to safetensors')!;
  expect(flat.judged.metadata).toMatchObject({ format: 'pt' });
});

it('keeps the texts of a safetensors file, as they were edited', () => {
  const flat = files.find(({ name }) => name === 'flat.safetensors to safetensors')!;
  expect(flat.judged.metadata).toEqual({ format: 'pt', by: 'x' });
  expect(noted.metadata).toEqual({ format: 'pt', 'a note\n': '"é"', more: '' });
});

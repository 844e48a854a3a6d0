/**
 * What is said to be lost before a conversion is what is lost, as PyTorch, safetensors and NumPy see it,
 * kind by kind and number by number; and nothing else is.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Lab } from '#lib/worker/lab.ts';
import type { Edit, EditOutput, Finding } from '#lib/worker/protocol.ts';
import { runPython } from '../python.ts';
import { load } from './judge.ts';
import { unwrap } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-losses-'));
afterAll(() => rmSync(folder, { recursive: true }));
await runPython('tests/judge/conversion_losses.py', ['make', folder]);
const original = join(folder, 'everything.pt');

const context = { signal: new AbortController().signal, progress: () => {} };

/** What is said of a conversion, and where the file is. */
interface Converted {
  readonly losses: Finding[];
  readonly to: string;
}

async function convert(
  path: string,
  output: EditOutput,
  name: string,
  edits: Edit[] = [],
): Promise<Converted> {
  const { handlers } = new Lab();
  unwrap(await handlers.open({ file: new File([readFileSync(path)], basename(path)) }, context));
  const { preview } = unwrap(await handlers.previewEdits({ edits }, context));
  expect(preview.steps.flatMap(({ findings }) => findings)).toEqual([]);
  const losses = await handlers.editLosses({ id: preview.id, output }, context);
  const args = { id: preview.id, output, name, ...(output.sharded && { shardSize: 100 }) };
  const { saved } = unwrap(await handlers.saveEdited(args, context));
  const to = join(folder, name);
  writeFileSync(to, new Uint8Array(await saved.file!.arrayBuffer()));
  return { losses, to };
}

/** The numbers in what is said, by the judge's names of kinds. */
function told(losses: readonly Finding[]): Record<string, number> {
  const texts = new Map(losses.map(({ code, message }) => [code, message]));
  const number = (code: string, pattern: RegExp) =>
    Number(pattern.exec(texts.get(code) ?? '')?.[1]?.replace(',', '') ?? 0);
  /** Names that are listed, with those that are more. */
  const names = (code: string) => {
    const list =
      texts
        .get(code)
        ?.replace(/^.*: /, '')
        .replace(/ and \d+ more$/, '') ?? '';
    const shown = list === '' ? 0 : list.split(', ').length;
    return shown + number(code, / and (\d+) more$/);
  };
  return {
    values: number('loss-values', /^([\d,]+) plain/),
    keys: number('loss-facts', /(\d+) keys? that/),
    types: number('loss-facts', /type of (\d+) dict/),
    parameters: number('loss-facts', /(\d+) torch\.nn\.Parameter/),
    gradients: number('loss-facts', /requires_grad of (\d+)/),
    attributes: Number(texts.get('loss-facts')?.includes('attributes') ?? false),
    order: Number(texts.get('loss-facts')?.includes('the order of the names') ?? false),
    again: names('loss-again'),
    made: number('loss-made', /^(\d+) sparse/),
    nested: Number(texts.has('loss-nested')),
    ties: names('loss-ties'),
    overlap: names('loss-overlap'),
    views: number('loss-views', /^(\d+) view/),
  };
}

const plain = { sharded: false, separator: '.', keepTree: false };
const outputs: Record<string, EditOutput> = {
  'a.pt': { ...plain, format: 'pt' },
  'a.pth': { ...plain, format: 'pth' },
  'a.safetensors': { ...plain, format: 'safetensors' },
  'kept.safetensors': { ...plain, format: 'safetensors', keepTree: true },
  'a.npz': { ...plain, format: 'npz' },
  'safetensors.zip': { ...plain, format: 'safetensors', sharded: true },
  'torch.zip': { ...plain, format: 'pt', sharded: true },
};

interface Judged {
  readonly lost: Record<string, number>;
  readonly wrong: string[];
}

/** What a format has no form for, and says so. */
const lacking: Record<string, string[]> = {
  pt: [],
  pth: ['nested'],
  safetensors: ['small', 'channels'],
  npz: ['small', 'channels', 'x'.repeat(70_000)],
};

const made: (Converted & { name: string; dropped: string[] })[] = [];
for (const [name, output] of Object.entries(outputs)) {
  const dropped = lacking[output.format]!;
  for (const key of dropped) {
    const names = dropped.filter((other) => other !== key);
    const converting = convert(
      original,
      output,
      name,
      names.length > 0 ? [{ kind: 'drop', names }] : [],
    );
    await expect(converting, key).rejects.toThrow(/has no (q|nested)|cannot hold the name/);
  }
  const edits: Edit[] = dropped.length > 0 ? [{ kind: 'drop', names: dropped }] : [];
  made.push({ name, dropped, ...(await convert(original, output, name, edits)) });
}
const kept = made.find(({ name }) => name.startsWith('kept'))!.to;
const unflatten: Edit = { kind: 'unflatten', separator: '.' };
const back = await convert(kept, outputs['a.pt']!, 'back.pt', [unflatten]);
const files = [...made, { ...back, dropped: lacking['safetensors']! }];
const paths = [
  original,
  ...files.flatMap(({ to, dropped }) => [to, ...dropped.map((key) => `-${key}`)]),
];
const lines = (await runPython('tests/judge/conversion_losses.py', ['judge', ...paths]))
  .trim()
  .split('\n');
const judged = lines.map((line) => JSON.parse(line) as Judged);

it.each(made.map((it, at) => ({ ...it, ...judged[at]! })))('$name', ({ losses, lost, wrong }) => {
  expect(wrong).toEqual([]);
  const { attributes = 0, marks = 0, nested = 0, ...counted } = lost;
  const said = told(losses);
  expect(said).toEqual({
    ...Object.fromEntries(Object.keys(said).map((kind) => [kind, 0])),
    ...counted,
    attributes: Number(attributes + marks > 0),
    nested: Number(nested > 0),
  });
});

it('loses nothing by the way through safetensors and back but how tensors lay', () => {
  const { lost, wrong } = judged.at(-1)!;
  expect(wrong).toEqual([]);
  const { overlap, views } = judged[made.findIndex(({ to }) => to === kept)]!.lost;
  expect(lost).toEqual({ overlap, views });
});

it('says that safetensors sorts a flat dict, or keeps its order', async () => {
  const flat = join(folder, 'flat.pt');
  const sorted = await convert(flat, outputs['a.safetensors']!, 'flat.safetensors');
  const held = await convert(flat, outputs['kept.safetensors']!, 'held.safetensors');
  const again = await convert(held.to, outputs['a.pt']!, 'again.pt', [unflatten]);
  const renamed = await convert(sorted.to, outputs['kept.safetensors']!, 'b.safetensors', [
    { kind: 'names', in: null, names: [['a', 'zz']] },
  ]);
  expect([sorted, held, again, renamed].map(({ losses }) => losses)).toMatchObject([
    [{ severity: 'warning', message: 'left out: the order of the names' }],
    [{ severity: 'info', message: 'kept as text in the metadata: the order of the names' }],
    ...[[], []], // a file of safetensors has no order of its own
  ]);
  const paths = [flat, sorted.to, held.to, again.to];
  const told = await runPython('tests/judge/conversion_losses.py', ['judge', ...paths]);
  const order = { lost: { order: 1 }, wrong: [] };
  const lines = told.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as Judged)).toEqual([
    ...[order, order, { lost: {}, wrong: [] }],
  ]);
});

it('says what a tensor that stands alone is called', async () => {
  const { losses } = await convert(join(folder, 'alone.pt'), outputs['a.npz']!, 'alone.npz');
  expect(losses.map(({ severity, message }) => [severity, message])).toEqual([
    ['info', 'the tensor stands alone, and gets the name of the file'],
  ]);
});

it('replaces what weights_only refuses as it says', async () => {
  const { losses, to } = await convert(join(folder, 'objects.pt'), outputs['a.pt']!, 'taken.pt');
  const [want, got] = await load([join(folder, 'objects.want.pt'), to]);
  expect(got).toEqual(want);
  expect(losses.map(({ message }) => message)).toEqual([
    "1 object that weights_only=True refuses is left out: ['thing'] (__main__.Thing(…), not called)",
    "['array'] (float64 [3]) becomes a tensor, ['number'] (float64 []) becomes a tensor, ['default'] (defaultdict, 1 entry) becomes a dict and 2 more",
  ]);
});

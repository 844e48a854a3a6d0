/**
 * Checkpoints of every format in every other one, with edits, contents as PyTorch, safetensors and
 * NumPy read them before and after; and a nested checkpoint that goes through safetensors and back.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Lab } from '#lib/worker/lab.ts';
import type { Edit, EditOutput, Finding } from '#lib/worker/protocol.ts';
import { runPython } from '../python.ts';
import { judgeWritten, load } from './judge.ts';
import { unwrap } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-convert-'));
afterAll(() => rmSync(folder, { recursive: true }));
await runPython('tests/fixtures/conversions.py', [folder]);

const context = { signal: new AbortController().signal, progress: () => {} };
const plainOutput = { sharded: false, separator: '.', keepTree: true };

/** Opens a file, edits it, writes it; gives what is said of it before, and where it is. */
async function convert(
  path: string,
  output: EditOutput,
  edits: readonly Edit[] = [],
  shardSize?: number,
): Promise<{ path: string; losses: Finding[] }> {
  const { handlers } = new Lab();
  unwrap(await handlers.open({ file: new File([readFileSync(path)], basename(path)) }, context));
  const { preview } = unwrap(await handlers.previewEdits({ edits }, context));
  expect(preview.steps.flatMap(({ findings }) => findings)).toEqual([]);
  const losses = await handlers.editLosses({ id: preview.id, output }, context);
  const name = `${basename(path).replace('.', '_')}${shardSize ?? ''}.${output.format}`;
  const args = { id: preview.id, output, name, shardSize };
  const { saved } = unwrap(await handlers.saveEdited(args, context));
  expect(saved.verified).toBe(true);
  const to = join(folder, `made_${saved.file!.name}`);
  writeFileSync(to, new Uint8Array(await saved.file!.arrayBuffer()));
  return { path: to, losses };
}

/** The elements of every tensor by its keys, joined. */
function elements(description: unknown): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const visit = (value: Record<string, unknown>, path: readonly string[]): void => {
    const { tensor, dict } = value as {
      tensor?: Record<string, unknown>;
      dict?: [Record<string, unknown>, Record<string, unknown>][];
    };
    if (tensor) found[path.join('.')] = [tensor['dtype'], tensor['shape'], tensor['hex']];
    for (const [key, item] of dict ?? []) visit(item, [...path, String(Object.values(key)[0])]);
  };
  visit(description as Record<string, unknown>, []);
  return found;
}

/** What NumPy lacks. */
const noNumpy = ['*of_bfloat16', '*of_float8_*'];
/** What has no storage class. */
const noClass = ['*of_float8_*', '*of_uint16', '*of_uint32', '*of_uint64'];

const sources = ['views.pt', 'old.pth', 'flat.safetensors', 'arrays.npz', 'nested.pt'];
const targets = ['pt', 'pth', 'safetensors', 'npz'] as const;
const original = await load(sources.map((name) => join(folder, name)));

const fits = (key: string, glob: string) =>
  new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(key);

/** Everything is converted first, and judged at once. */
async function convertAll() {
  const cases = sources.flatMap((source, at) => targets.map((format) => ({ source, at, format })));
  const made = [];
  for (const { source, at, format } of cases) {
    const before = elements(original[at]!.root);
    const keys = Object.keys(before);
    const lacking = format === 'npz' ? noNumpy : format === 'pth' ? noClass : [];
    const names = lacking.filter((glob) => keys.some((key) => fits(key, glob)));
    const edits = names.length > 0 ? [{ kind: 'drop', names } as const] : [];
    const path = join(folder, source);
    const output = { ...plainOutput, format };
    if (names.length > 0) {
      await expect(convert(path, output)).rejects.toThrow(/has no (float8|bfloat|uint)/);
    }
    const { path: to, losses } = await convert(path, output, edits);
    const kept = keys.filter((key) => !names.some((glob) => fits(key, glob)));
    const expected = Object.fromEntries(kept.map((key) => [key, before[key]]));
    made.push({ name: `${source} to ${format}`, to, losses, expected });
  }
  const flat = made.find(({ name }) => name === 'nested.pt to safetensors')!.to;
  const edits = [{ kind: 'unflatten', separator: '.' } as const];
  const back = await convert(flat, { ...plainOutput, format: 'pt' }, edits);
  const sharded = { ...plainOutput, format: 'safetensors', sharded: true } as const;
  const joined = [];
  for (const shardSize of [200, undefined]) {
    const zip = await convert(join(folder, 'nested.pt'), sharded, [], shardSize);
    const hasIndex = readFileSync(zip.path).includes('model.safetensors.index.json');
    expect(hasIndex).toBe(shardSize !== undefined);
    expect(zip.losses.filter(({ severity }) => severity !== 'info')).toEqual([]);
    joined.push(await convert(zip.path, { ...plainOutput, format: 'pt' }, edits));
  }
  const files = [...made.map(({ to }) => to), back.path, ...joined.map(({ path }) => path)];
  const judged = await judgeWritten(files);
  return {
    made: made.map((it, at) => ({ ...it, judged: judged[at]! })),
    back: judged.slice(made.length),
  };
}
const { made, back } = await convertAll();

it.each(made)('$name', ({ losses, expected, judged }) => {
  expect(losses.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(judged.error).toBeUndefined();
  expect(judged).toMatchObject({ weights_only: true });
  expect(Object.keys(expected).length).toBeGreaterThan(8);
  expect(elements(judged.root)).toEqual(expected);
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
  const flat = made.find(({ name }) => name === 'nested.pt to safetensors')!;
  expect(flat.judged.metadata).toMatchObject({ format: 'pt' });
});

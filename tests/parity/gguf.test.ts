/** GGUF files that the gguf package wrote, read by the lab and by the package's own reader. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { findingOf } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { type Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { findStateDicts } from '#lib/architecture/binding.ts';
import { formatFloat } from '#lib/checkpoint/elements.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { fixturesOf } from '../fixtures/made.ts';
import { runPython } from '../python.ts';
import { open } from './lab.ts';
import { compared, keepMatrix } from './matrix.ts';

keepMatrix(import.meta.url);

interface Twin {
  readonly name: string;
  readonly code?: string;
  readonly tensors?: readonly { name: string; type: string; shape: number[]; hex: string }[];
  readonly fields?: Readonly<Record<string, string[]>>;
}

const fixtures = await fixturesOf<Twin>('tests/fixtures/gguf.py', {
  parts: ['tests/judge/describe_gguf.py'],
});
const sound = fixtures.filter(({ code }) => code === undefined);
const hostile = fixtures.filter(({ code }) => code !== undefined);

async function parts(path: string) {
  const { root } = await open(path);
  return {
    root,
    tensors: (root as Dict).get('tensors') as Dict,
    metadata: (root as Dict).get('metadata') as Dict,
  };
}

/** Words of 32 bits; of float32, every NaN counts as one, as JavaScript may change its bits. */
function bits(bytes: Uint8Array, decoded: boolean): Uint8Array {
  if (!decoded) return bytes;
  const words = new Uint32Array(new Uint8Array(bytes).buffer);
  const bare = words.map((word) => ((word & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : word));
  return new Uint8Array(bare.buffer);
}

async function expectTensors(path: string, tensors: NonNullable<Twin['tensors']>): Promise<void> {
  const own = (await parts(path)).tensors;
  expect([...own.keys()]).toEqual(tensors.map((tensor) => tensor.name));
  for (const expected of tensors) {
    const tensor = own.get(expected.name) as Tensor;
    const decoded = tensor.encoding !== undefined;
    expect([expected.name, tensor.encoding ?? expected.type]).toEqual([
      expected.name,
      expected.type,
    ]);
    // The package keeps the bytes of bfloat16: two an element.
    if (expected.type === 'BF16') expect(tensor.dtype).toBe('bfloat16');
    expect(tensor.shape).toEqual(expected.shape);
    const row = new Map([[expected.type, 1]]);
    const reference = bits(Uint8Array.from(Buffer.from(expected.hex, 'hex')), decoded);
    const read = bits(await readTensor(tensor), decoded);
    await compared('gguf', row, 'read', () =>
      expect(Buffer.compare(read, reference), expected.name).toBe(0),
    );
  }
}

const unreadable = ['undecoded', 'unclear_big'];
const readable = sound.filter(({ name }) => !unreadable.includes(name));
it.each(readable.map((fixture) => [fixture.name, fixture] as const))(
  'tensors of %s, bit for bit',
  async (_, { path, tensors }) => {
    await expectTensors(path, tensors!);
  },
);

const corpus = resolve(
  process.env['WEIGHTROOM_CORPUS'] ?? '../shared/corpus',
  'hyllama/dummy.gguf',
);
// Where the file is absent, there is no test to skip.
if (existsSync(corpus)) it('a file that others wrote', readsOthers);

async function readsOthers(): Promise<void> {
  const judged = JSON.parse(await runPython('tests/judge/describe_gguf.py', [corpus])) as Twin;
  expect(judged.tensors).toHaveLength(10);
  await expectTensors(corpus, judged.tensors!);
  await expectFields(corpus, judged.fields!);
}

it('opens without reading a tensor', async () => {
  const { path, tensors } = sound.find(({ name }) => name === 'blocks_v3')!;
  const whole = readFileSync(path);
  const elements = tensors!.length;
  const inner = bytesSource(whole, 'a.gguf');
  // Tensors lie behind the header, whose length nothing tells: one range of it may reach into them.
  const range = 64 * 2 ** 10;
  const reads: [number, number][] = [];
  const source = {
    ...inner,
    read: (from: number, to: number) => (reads.push([from, to]), inner.read(from, to)),
  };
  const result = await openCheckpoint(source);
  expect(result.ok && elements > 40 && whole.length > 3 * range).toBe(true);
  expect(Math.max(...reads.map(([, to]) => to))).toBeLessThanOrEqual(range);
  expect(reads).toHaveLength(2);
});

it('reads a range of a quantized tensor by its blocks alone', async () => {
  const { path } = sound.find(({ name }) => name === 'blocks_v3')!;
  const whole = readFileSync(path);
  let bytes = 0;
  const inner = bytesSource(whole, 'a.gguf');
  const source = {
    ...inner,
    read: (from: number, to: number) => ((bytes += to - from), inner.read(from, to)),
  };
  const result = await openCheckpoint(source);
  if (!result.ok) throw new Error(result.findings[0]!.message);
  const tensors = (result.checkpoint.root as Dict).get('tensors') as Dict;
  const { storage } = tensors.get('finite.Q6_K') as Tensor;
  const all = await storage.read(0, storage.byteLength);
  bytes = 0;
  expect(await storage.read(1021, 2051)).toEqual(all.slice(1021, 2051));
  expect(bytes).toBe(3 * 210);
  expect(await storage.read(8, 8)).toEqual(new Uint8Array());
});

/** As Python writes it, one item a line. */
async function shown(value: Value | undefined): Promise<string[]> {
  if (isTensor(value)) {
    const bytes = new Uint8Array(await readTensor(value));
    const items =
      value.dtype === 'float32' ? new Float32Array(bytes.buffer) : new Int32Array(bytes.buffer);
    return Array.from(items as ArrayLike<number>, (item) =>
      value.dtype === 'float32' ? formatFloat(item) : String(item),
    );
  }
  if (typeof value === 'object' && value?.kind === 'list') {
    return (await Promise.all(value.items.map(shown))).flat();
  }
  if (typeof value === 'boolean') return [value ? 'True' : 'False'];
  if (typeof value === 'number') return [formatFloat(value)];
  return [String(value)];
}

async function expectFields(path: string, fields: NonNullable<Twin['fields']>): Promise<void> {
  const { metadata } = await parts(path);
  expect([...metadata.keys()]).toEqual(Object.keys(fields));
  for (const [key, items] of Object.entries(fields)) {
    expect([key, await shown(metadata.get(key))]).toEqual([key, items]);
  }
}

it.each(sound.map((fixture) => [fixture.name, fixture] as const))(
  'metadata of %s',
  async (_, fixture) => {
    await expectFields(fixture.path, fixture.fields!);
  },
);

it('keeps long arrays of numbers in the file, and the tensors findable', async () => {
  const { path } = sound.find(({ name }) => name === 'aligned_vocabulary')!;
  const { root, metadata, tensors } = await parts(path);
  expect(metadata.get('scores')).toMatchObject({ kind: 'tensor', shape: [20_000] });
  expect(metadata.get('tokens')).toMatchObject({ kind: 'list' });
  expect(findStateDicts(root)[0]).toMatchObject({ path: ['tensors'], dict: tensors });
});

it.each([
  ['undecoded', ', which'],
  ['unclear_big', ' in a big-endian file, where writers disagree on its bytes, which'],
])('opens types that it cannot decode; reading names tensor and type: %s', async (name, why) => {
  const { path, tensors } = sound.find((fixture) => fixture.name === name)!;
  const own = (await parts(path)).tensors;
  expect(own.size).toBe(tensors!.length);
  for (const [key, tensor] of own.entries()) {
    if (!isTensor(tensor)) throw new Error('no tensor');
    const error: unknown = await readTensor(tensor).catch((reason: unknown) => reason);
    expect(findingOf(error)).toMatchObject({
      code: 'gguf-encoding',
      message: expect.stringContaining(
        `gguf: "${String(key)}" is stored as ${String(key)}${why}`,
      ) as string,
    });
  }
});

it.each(hostile.map((fixture) => [fixture.name, fixture] as const))(
  'refuses %s',
  async (_, { path, code }) => {
    const result = await openCheckpoint(bytesSource(readFileSync(path), 'a.gguf'));
    if (result.ok) throw new Error('it opened');
    const [finding] = result.findings;
    expect(finding!.code).toBe(code);
    expect(finding!.message).toMatch(/^a\.gguf: gguf: .*[^.]$/s);
    expect(finding!.advice).toMatch(/^[A-Z].*\.$/s);
  },
);

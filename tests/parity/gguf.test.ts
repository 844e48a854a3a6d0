/** GGUF files that the gguf package wrote, read by the lab and by the package's own reader. */
import { readFileSync } from 'node:fs';
import { describe as group, expect, it } from 'vitest';
import { readTensor, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { findStateDicts } from '#lib/architecture/binding.ts';
import { formatFloat } from '#lib/checkpoint/elements.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { fixturesOf } from '../fixtures/made.ts';
import { open } from './lab.ts';

interface Twin {
  readonly name: string;
  readonly code?: string;
  readonly tensors?: readonly { name: string; type: string; shape: number[]; hex: string }[];
  readonly fields?: Readonly<Record<string, string[]>>;
}

const fixtures = await fixturesOf<Twin>('tests/fixtures/gguf.py');
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

group('tensors, bit for bit', () => {
  for (const { name, path, tensors } of sound) {
    if (name === 'undecoded') continue;
    it(name, async () => {
      const own = (await parts(path)).tensors;
      expect([...own.keys()]).toEqual(tensors!.map((tensor) => tensor.name));
      for (const expected of tensors!) {
        const tensor = own.get(expected.name) as Tensor;
        const decoded = tensor.encoding !== undefined;
        expect([expected.name, tensor.encoding ?? expected.type]).toEqual([
          expected.name,
          expected.type,
        ]);
        if (expected.type === 'BF16') {
          expect(tensor.dtype).toBe('bfloat16'); // the package keeps its bytes: two an element
          expect(tensor.shape).toEqual(expected.shape);
        } else expect(tensor.shape).toEqual(expected.shape);
        const reference = bits(Uint8Array.from(Buffer.from(expected.hex, 'hex')), decoded);
        const read = bits(await readTensor(tensor), decoded);
        expect(Buffer.compare(read, reference), expected.name).toBe(0);
      }
    });
  }
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

it.each(sound.map((fixture) => [fixture.name, fixture] as const))(
  'metadata of %s',
  async (_, fixture) => {
    const { metadata } = await parts(fixture.path);
    expect([...metadata.keys()]).toEqual(Object.keys(fixture.fields!));
    for (const [key, items] of Object.entries(fixture.fields!)) {
      expect([key, await shown(metadata.get(key))]).toEqual([key, items]);
    }
  },
);

it('keeps long arrays of numbers in the file, and the tensors findable', async () => {
  const { path } = sound.find(({ name }) => name === 'aligned_vocabulary')!;
  const { root, metadata, tensors } = await parts(path);
  expect(metadata.get('scores')).toMatchObject({ kind: 'tensor', shape: [20_000] });
  expect(metadata.get('tokens')).toMatchObject({ kind: 'list' });
  expect(findStateDicts(root)[0]).toMatchObject({ path: ['tensors'], dict: tensors });
});

it('opens types that it cannot decode; reading names tensor and type', async () => {
  const { path, tensors } = sound.find(({ name }) => name === 'undecoded')!;
  const own = (await parts(path)).tensors;
  expect(own.size).toBe(tensors!.length);
  for (const [name, tensor] of own.entries()) {
    if (!isTensor(tensor)) throw new Error('no tensor');
    await expect(readTensor(tensor)).rejects.toThrow(
      `gguf: "${String(name)}" is stored as ${String(name)}, which`,
    );
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

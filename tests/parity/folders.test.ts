/**
 * Checkpoints that are folders: sharded ones, and those of torch.distributed.checkpoint as one rank
 * and as four wrote them, read by the lab and by PyTorch (`dcp_to_torch_save`).
 */
import { describe as group, expect, it } from 'vitest';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isDict, isTensor } from '#lib/checkpoint/value.ts';
import type { Source } from '#lib/file/source.ts';
import { openFolder } from '#lib/formats/folder.ts';
import { describe, type Description } from '../fixtures/describe.ts';
import { fixturesOf } from '../fixtures/made.ts';
import { filesOf, unwrap } from './lab.ts';
import { compared, contentsOf, keepMatrix } from './matrix.ts';

keepMatrix(import.meta.url);

interface Twin {
  readonly name: string;
  readonly path: string;
  readonly root?: Description;
  /** Of all tensors, in bytes. */
  readonly size?: number;
  readonly code?: string;
  /** A hostile one that opens, to be told of or refused on reading. */
  readonly opens?: boolean;
}

const fixtures = await fixturesOf<Twin>('tests/fixtures/folders.py', {
  parts: ['tests/judge/describe.py'],
});
const sound = fixtures.filter(({ code }) => code === undefined);
const named = (name: string) => fixtures.find((fixture) => fixture.name === name)!;

async function open({ name, path }: Twin): Promise<Checkpoint> {
  return unwrap(await openFolder(name, filesOf(path))).checkpoint;
}

/** A model's tensors have an order of their own. */
function sorted(description: Description): unknown[] {
  const pairs = description['dict'] as [{ str: string }, unknown][];
  return pairs.toSorted(([a], [b]) => (a.str < b.str ? -1 : 1));
}

group('reading', () => {
  it.each(sound.map((fixture) => [fixture.name, fixture] as const))('%s', async (name, fixture) => {
    const checkpoint = await open(fixture);
    const isSharded = name.startsWith('shards');
    expect(checkpoint.format).toBe(isSharded ? 'sharded' : 'dcp');
    const described = await describe(checkpoint.root, { layout: !isSharded });
    await compared(checkpoint.format, contentsOf(fixture.root!), 'read', () => {
      if (name === 'shards_no_index') expect(sorted(described)).toEqual(sorted(fixture.root!));
      else expect(described).toEqual(fixture.root);
    });
    if (isSharded && !name.includes('no_index')) {
      expect(checkpoint.metadata.get('total_size')).toBe(String(fixture.size));
    }
    const codes = checkpoint.findings.map(({ code }) => code);
    expect(codes).toEqual(name === 'shards_no_index' ? ['shards-no-index'] : []);
    expect(checkpoint.calls.filter(({ allowed }) => !allowed)).toEqual([]);
  });
});

it('reads any range of a tensor in chunks as a part of the whole', async () => {
  const { root } = await open(named('dcp_ranks'));
  for (const [key, tensor] of ((root as Dict).get('model') as Dict).entries()) {
    const { storage } = tensor as Tensor;
    const whole = await storage.read(0, storage.byteLength);
    for (let start = 0; start <= storage.byteLength; start += 5) {
      for (let end = start; end <= storage.byteLength; end += 7) {
        const part = Buffer.from(await storage.read(start, end));
        expect(part.equals(whole.subarray(start, end)), `${String(key)} ${start}..${end}`).toBe(
          true,
        );
      }
    }
  }
});

it('opens without reading a tensor, and reads of one no more than its chunks', async () => {
  const files = filesOf(named('dcp_ranks').path);
  const read = new Map<string, number>();
  const counted = files.map(({ path, source }) => {
    const counting: Source = {
      ...source,
      read: (from, to) => {
        read.set(path, (read.get(path) ?? 0) + to - from);
        return source.read(from, to);
      },
    };
    return { path, source: counting };
  });
  const { checkpoint } = unwrap(await openFolder('run', counted));
  // Of the four ranks' files, only the one that holds the object "step".
  expect(read.size).toBe(2);
  read.clear();
  const rows = ((checkpoint.root as Dict).get('model') as Dict).get('rows') as Tensor;
  await rows.storage.read(0, 4 * 3 * 4);
  expect(read.size).toBe(1);
  expect([...read.values()][0]).toBeLessThan(4000); // one chunk with the zip around it
});

group('hostile folders', () => {
  const hostile = fixtures.filter(({ code }) => code !== undefined);
  it.each(hostile.map((fixture) => [fixture.name, fixture] as const))('%s', async (_, fixture) => {
    const result = await openFolder(fixture.name, filesOf(fixture.path));
    if (!fixture.opens) {
      if (result.ok) throw new Error('it opened');
      const [finding] = result.findings;
      expect(finding).toMatchObject({ code: fixture.code, severity: 'error' });
      expect(finding!.message).toMatch(/^\S+: (dcp|pickle): .*[^.]$/s);
      expect(finding!.advice).toMatch(/^[A-Z].*\.$/s);
      return;
    }
    const { checkpoint } = unwrap(result);
    const codes = checkpoint.findings.map(({ code }) => code);
    if (fixture.code === 'pickle-dangerous') expect(codes).toEqual([fixture.code]);
    else {
      const model = (checkpoint.root as Dict).get('model');
      const rows = isDict(model) ? model.get('rows') : undefined;
      if (!isTensor(rows)) throw new Error('no tensor');
      const reading = rows.storage.read(0, rows.storage.byteLength);
      await expect(reading).rejects.toMatchObject({ finding: { code: fixture.code } });
    }
  });
});

/** What Python would have to be bent to write: names, byte orders, calls that are changed. */
import { describe, expect, it } from 'vitest';
import { zipOf, type Member } from '../../../tests/fixtures/zip.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, isTensor, list } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from './index.ts';
import { torch } from './torch.read.ts';

const text = (content: string) => Uint8Array.from(content, (c) => c.charCodeAt(0));

/** Opcodes of a float32 vector in storage "0". */
const vector = (numel: string) =>
  `ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\n` +
  `I${numel}\ntQI0\n(I${numel}\nt(I1\ntI00\nccollections\nOrderedDict\n)RtR`;

async function open(pickle: string, more: readonly Member[] = []): Promise<Checkpoint> {
  const file = zipOf([{ name: 'a/data.pkl', bytes: text(pickle) }, ...more]);
  const result = await openCheckpoint(bytesSource(file, 'a.pt'));
  if (!result.ok) throw new Error(`${result.findings[0]!.code}: ${result.findings[0]!.message}`);
  return result.checkpoint;
}

const record = (bytes: Uint8Array): Member => ({ name: 'a/data/0', bytes });
const order = (content: string): Member => ({ name: 'a/byteorder', bytes: text(content) });

describe('torch', () => {
  it.each([
    ['little', [0, 0, 128, 63]],
    ['big', [63, 128, 0, 0]],
  ])('reads %s-endian files', async (name, bytes) => {
    const checkpoint = await open(`${vector('1')}.`, [record(Uint8Array.from(bytes)), order(name)]);
    if (!isTensor(checkpoint.root)) throw new Error('no tensor');
    expect(await readTensor(checkpoint.root)).toEqual(Uint8Array.of(0, 0, 128, 63));
    expect(checkpoint.metadata.get('byteorder')).toBe(name);
  });

  it.each(['middle', 'LITTLE', ' big', 'x'.repeat(1000)])(
    'refuses the byte order %j',
    async (name) => {
      await expect(open('N.', [order(name)])).rejects.toThrow(/^torch-byteorder: a.pt: torch: /);
    },
  );

  it('reads a record that is deflated', async () => {
    const bytes = new Uint8Array(4000).fill(1);
    const checkpoint = await open(`${vector('1000')}.`, [{ ...record(bytes), deflated: true }]);
    if (!isTensor(checkpoint.root)) throw new Error('no tensor');
    expect(await readTensor(checkpoint.root)).toEqual(bytes);
  });

  it('reads a pickle whose CRC-32 was left out', async () => {
    const file = zipOf([{ name: 'a/data.pkl', bytes: text('I7\n.'), crc: 0 }]);
    expect(await openCheckpoint(bytesSource(file))).toMatchObject({ checkpoint: { root: 7n } });
  });

  it('keeps what a pickle does to a tensor after it was made', async () => {
    const changed = await open(`${vector('1')}}S'evil'\nI1\nsb.`, [record(new Uint8Array(4))]);
    expect(changed.root).toMatchObject({ kind: 'call', state: { kind: 'dict' } });
  });

  it('says that bytes follow the pickle', async () => {
    expect((await open('N.cos\nsystem\n.')).findings).toMatchObject([
      { code: 'pickle-trailing', where: 'byte 2' },
    ]);
  });

  it('keeps few of many unknown names', async () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `cm\nn${index}\n)R0`);
    const { findings, calls } = await open(`${names.join('')}N.`);
    expect(findings.length).toBeLessThan(200);
    expect(findings.at(-1)!.message).toContain('names 19900 more names');
    expect(calls.length).toBeLessThan(200);
  });

  it('writes a tied and a transposed tensor into one record', async () => {
    const one = tensorFromBytes(new Uint8Array(24), 'float32', [2, 3]);
    const turned = { ...one, shape: [3, 2], strides: [1, 3] };
    const sink = memorySink();
    const root = dict({ a: one, b: list(turned, one) });
    await torch.write!(root, sink, { stem: 'x' });
    const result = await openCheckpoint(bytesSource(sink.bytes(), 'x.pt'));
    if (!result.ok) throw new Error(result.findings[0]!.message);
    const back = result.checkpoint.root as Dict;
    const [first, second] = (back.get('b') as { items: unknown[] }).items;
    expect(first).toMatchObject({ shape: [3, 2], strides: [1, 3] });
    expect(second).toBe(back.get('a'));
    expect((first as typeof one).storage).toBe((second as typeof one).storage);
  });
});

describe('what is no checkpoint', () => {
  it.each([
    ['', 'file-empty'],
    ['hello', 'file-unknown'],
    ['<!doctype html><p>', 'file-unknown'],
    ['version https://git-lfs.github.com/spec/v1\n', 'file-unknown'],
    ['PKG-INFO of a package', 'file-unknown'],
    ['PK\x03\x04 and nothing more', 'zip-broken'],
    ['\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', 'pickle-broken'],
    ['\x00\x01\x02\x03', 'file-unknown'],
  ])('%j: %s', async (content, code) => {
    const result = await openCheckpoint(bytesSource(text(content), 'a.bin'));
    expect(result).toMatchObject({ ok: false, findings: [{ code }] });
  });
});

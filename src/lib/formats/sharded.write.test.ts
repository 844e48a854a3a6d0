import { describe, expect, it } from 'vitest';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, dict } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import { inOrderOfCodePoints } from './flat.ts';
import { openFolder } from './folder.ts';
import { writeSharded, type ShardedOptions, type ShardKind } from './sharded.write.ts';

const tensor = (size: number) => tensorFromBytes(new Uint8Array(size), 'uint8', [size]);

/** The files by their names, and the progress of writing them. */
async function write(
  root: Dict,
  kind: ShardKind,
  shardSize: number,
  texts: Pick<ShardedOptions, 'metadata' | 'whole'> = {},
) {
  const files = new Map<string, Uint8Array>();
  const progress: number[] = [];
  const writeFile = async (name: string, to: (sink: ReturnType<typeof memorySink>) => unknown) => {
    const sink = memorySink();
    await to(sink);
    files.set(name, sink.bytes());
  };
  const onProgress = (bytes: number) => progress.push(bytes);
  await writeSharded(root, kind, shardSize, writeFile, { ...texts, onProgress });
  return { files, progress };
}

async function open(files: ReadonlyMap<string, Uint8Array>) {
  const list = [...files].map(([path, bytes]) => ({ path, source: bytesSource(bytes, path) }));
  const result = await openFolder('folder', list);
  if (!result.ok) throw new Error(result.findings[0]!.message);
  return result.checkpoint;
}

interface Index {
  metadata: { total_size: number };
  weight_map: Record<string, string>;
}
const indexIn = (files: ReadonlyMap<string, Uint8Array>) =>
  JSON.parse(new TextDecoder().decode([...files.values()].at(-1))) as Index;

const sizes = [6, 6, 2, 6, 2, 2];
const six = new Dict(sizes.map((size, index): [string, Tensor] => [`t${index}`, tensor(size)]));

describe('shards', () => {
  it('are filled in the order of the dict, none beyond the limit', async () => {
    const { files, progress } = await write(six, 'safetensors', 10);
    const names = [1, 2, 3].map((number) => `model-0000${number}-of-00003.safetensors`);
    expect([...files.keys()]).toEqual([...names, 'model.safetensors.index.json']);
    const [one, two, three] = names;
    expect(indexIn(files)).toEqual({
      metadata: { total_size: 24 },
      weight_map: { t0: one, t1: two, t2: two, t3: three, t4: three, t5: three },
    });
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toBe(names.reduce((sum, name) => sum + files.get(name)!.length, 0));
    const { root, format, findings } = await open(files);
    expect([format, findings]).toEqual(['sharded', []]);
    expect([...(root as Dict).keys()]).toEqual([...six.keys()]);
  });

  it('give a tensor beyond the limit a file of its own', async () => {
    const { files } = await write(dict({ a: tensor(2), b: tensor(11), c: tensor(3) }), 'bin', 10);
    expect([...files.keys()]).toEqual([
      'pytorch_model-00001-of-00002.bin',
      'pytorch_model-00002-of-00002.bin',
      'pytorch_model.bin.index.json',
    ]);
    expect(Object.values(indexIn(files).weight_map)).toEqual([
      'pytorch_model-00002-of-00002.bin',
      'pytorch_model-00001-of-00002.bin',
      'pytorch_model-00002-of-00002.bin',
    ]);
  });

  it('of torch.save keep tied tensors together and count their storage once', async () => {
    const tied = tensor(8);
    const root = dict({
      embed: tied,
      other: tensor(6),
      head: { ...tied, shape: [4, 2], strides: [2, 1] },
    });
    const { files } = await write(root, 'bin', 8);
    const { metadata, weight_map } = indexIn(files);
    expect(metadata.total_size).toBe(14);
    expect(weight_map['embed']).toBe(weight_map['head']);
    const read = await open(files);
    expect(read.findings).toEqual([]);
    const [embed, head] = ['embed', 'head'].map((key) => (read.root as Dict).get(key) as Tensor);
    expect(embed!.storage).toBe(head!.storage);
  });

  it('of safetensors hold tied tensors under each name', async () => {
    const tied = tensor(8);
    const { files } = await write(dict({ embed: tied, head: tied }), 'safetensors', 8);
    expect(indexIn(files).metadata.total_size).toBe(16);
    expect((await open(files)).findings).toEqual([]);
  });

  it('carry texts, those of the whole in the index or in the one file', async () => {
    const texts = { metadata: new Map([['by', 'me']]), whole: new Map([['all', '"é"']]) };
    for (const size of [10, 24]) {
      const { files } = await write(six, 'safetensors', size, texts);
      const { metadata, texts: kept } = await open(files);
      expect([metadata.get('by'), metadata.get('all')]).toEqual(['me', '"é"']);
      expect([...kept!].toSorted()).toEqual(['all', 'by']);
      const shards = [...files].filter(([name]) => name.endsWith('.safetensors'));
      const has = shards.map(([, bytes]) => new TextDecoder().decode(bytes).includes('"all":'));
      expect(has).toEqual(size === 10 ? [false, false, false] : [true]);
    }
  });

  it('are one file without an index where all fits', async () => {
    const { files } = await write(six, 'safetensors', 24);
    expect([...files.keys()]).toEqual(['model.safetensors']);
    expect([...(await write(dict({}), 'bin', 1)).files.keys()]).toEqual(['pytorch_model.bin']);
  });

  it('are refused where their names could not number them', async () => {
    const many = new Dict(
      Array.from({ length: 100_000 }, (_, index) => [String(index), tensor(1)]),
    );
    await expect(write(many, 'safetensors', 1)).rejects.toThrow(
      'sharded: 100000 shards of 1 bytes',
    );
  });

  it('have an index in the order of code points, in ASCII', async () => {
    const keys = ['\uffee', '🏋', 'é"', 'a', '10', '9', '\u007f'];
    expect(keys.toSorted(inOrderOfCodePoints)).toEqual([
      '10',
      '9',
      'a',
      '\u007f',
      'é"',
      '\uffee',
      '🏋',
    ]);
    const root = new Dict(keys.map((key): [string, Tensor] => [key, tensor(1)]));
    const { files } = await write(root, 'safetensors', 1);
    const text = new TextDecoder().decode(files.get('model.safetensors.index.json'));
    expect(text).toMatch(/^[\n -~]*$/);
    expect(text).toContain('"\\ud83c\\udfcb": "model-00002-of-00007.safetensors"\n  }\n}\n');
    expect(text).toContain('"\\u007f": ');
    expect(text.indexOf('"10"')).toBeLessThan(text.indexOf('"9"'));
  });
});

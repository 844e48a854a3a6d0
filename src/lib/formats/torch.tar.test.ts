import { describe, expect, it } from 'vitest';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { dict, isDict, isTensor, list, tuple, type Value } from '#lib/checkpoint/value.ts';
import { bytesSource } from '#lib/file/source.ts';
import { writePickle } from '#lib/pickle/write.ts';
import { tarOf, type TarPart } from '../../../tests/fixtures/tar.ts';
import { openCheckpoint } from './index.ts';

const name = (module: string, name: string): Value => ({ kind: 'global', module, name });
const reference = (id: Value): Value => ({ kind: 'persistent', id });

interface StorageParts {
  key?: Value;
  location?: Value;
  type?: Value;
  count?: bigint;
  values?: number[];
}
interface TensorParts {
  key?: Value;
  storage?: Value;
  rank?: number;
  longs?: bigint[];
}
interface Parts {
  object?: Value;
  storages?: StorageParts[];
  storageCount?: Value;
  views?: Value;
  tensors?: TensorParts[];
  system?: Value;
  change?: (members: TarPart[]) => TarPart[];
}

/** `{'w': torch.tensor([1.0, 2.0])}`, and what a test wants else. */
function tarFile(parts: Parts = {}): Uint8Array {
  const storages = (parts.storages ?? [{}]).flatMap((it) => {
    const { key = 5n, location = 'cuda:0', type = name('torch', 'FloatStorage') } = it;
    const values = it.values ?? [1, 2, 3, 4];
    const count = BigInt64Array.of(it.count ?? BigInt(values.length));
    const bytes = [new Uint8Array(count.buffer), new Uint8Array(Float32Array.from(values).buffer)];
    return [writePickle(tuple(key, location, type)), ...bytes];
  });
  const tensors = (parts.tensors ?? [{}]).flatMap((it) => {
    const { key = 7n, storage = 5n, rank = 1, longs = [2n, 1n, 0n] } = it;
    const head = new Uint8Array(Int32Array.of(rank, -1).buffer);
    const type = name('torch', 'FloatTensor');
    const body = new Uint8Array(BigInt64Array.from(longs).buffer);
    return [writePickle(tuple(key, storage, type)), head, body];
  });
  const count = parts.storageCount ?? BigInt((parts.storages ?? [{}]).length);
  const join = (...bytes: Uint8Array[]) => new Uint8Array(Buffer.concat(bytes));
  const system = parts.system ?? dict({ protocol_version: 1000n, little_endian: true });
  const members: TarPart[] = [
    { name: 'sys_info', bytes: writePickle(system) },
    { name: 'pickle', bytes: writePickle(parts.object ?? dict({ w: reference('7') })) },
    {
      name: 'tensors',
      bytes: join(writePickle(BigInt((parts.tensors ?? [{}]).length)), ...tensors),
    },
    {
      name: 'storages',
      bytes: join(writePickle(count), ...storages, writePickle(parts.views ?? list())),
    },
  ];
  return tarOf(parts.change?.(members) ?? members);
}

async function open(bytes: Uint8Array) {
  const result = await openCheckpoint(bytesSource(bytes, 'old.tar'));
  return result.ok ? result.checkpoint : result.findings[0]!;
}

async function numbers(bytes: Uint8Array, key = 'w'): Promise<number[]> {
  const opened = await open(bytes);
  const value = 'root' in opened && isDict(opened.root) ? opened.root.get(key) : undefined;
  if (!isTensor(value)) throw new Error('message' in opened ? opened.message : 'no tensor');
  return [...new Float32Array((await readTensor(value)).slice().buffer)];
}

describe('torch tar', () => {
  it('reads a tensor and the part of a storage that a view names', async () => {
    expect(await numbers(tarFile())).toEqual([1, 2]);
    const views = list(tuple(6n, 5n, 1n, 3n), tuple(8n, 6n, 1n, 2n));
    expect(await numbers(tarFile({ views, tensors: [{ storage: 6n }] }))).toEqual([2, 3]);
    expect(await numbers(tarFile({ views, tensors: [{ storage: 8n }] }))).toEqual([3, 4]);
  });

  it('reads storages of CUDA and says where they were', async () => {
    const type = name('torch.cuda', 'FloatStorage');
    const opened = await open(tarFile({ storages: [{ type }] }));
    const tensor = 'root' in opened && isDict(opened.root) && opened.root.get('w');
    expect(tensor).toMatchObject({ kind: 'tensor', storage: { location: 'cuda:0' } });
  });

  it('asks for no byte of a storage on opening', async () => {
    const file = tarFile({ storages: [{ values: new Array<number>(2 ** 20).fill(1) }] });
    const source = bytesSource(file, 'old.tar');
    let read = 0;
    const counting = {
      ...source,
      read: (from: number, to: number) => ((read += to - from), source.read(from, to)),
    };
    expect((await openCheckpoint(counting)).ok).toBe(true);
    expect(read).toBeLessThan(20_000);
  });

  it('keeps the source of a class as text, and the class as a name', async () => {
    const named = reference(tuple(name('__main__', 'Net'), '/home/me/net.py', 'class Net: ...'));
    const without = reference(tuple(name('__main__', 'Other'), null, null));
    const opened = await open(tarFile({ object: list(named, without, reference('7')) }));
    expect(opened).toMatchObject({
      sources: [{ name: '__main__.Net', file: '/home/me/net.py', text: 'class Net: ...' }],
      findings: [{ code: 'torch-tar' }, { code: 'torch-sources' }, { where: '__main__.Net' }, {}],
      root: { items: [name('__main__', 'Net'), name('__main__', 'Other'), { kind: 'tensor' }] },
    });
  });

  it('judges what the pickles between the numbers name', async () => {
    const call: Value = {
      kind: 'call',
      callable: name('os', 'system'),
      args: tuple('x'),
      how: 'reduce',
    };
    const opened = await open(tarFile({ storages: [{ location: 'cpu' }], views: list() }));
    expect(opened).toMatchObject({ findings: [{ code: 'torch-tar' }] });
    const hostile = await open(
      tarFile({ tensors: [{ key: 7n }, { key: 9n, storage: 5n }], object: list(call) }),
    );
    expect(hostile).toMatchObject({
      findings: [{ code: 'torch-tar' }, { code: 'pickle-dangerous' }],
    });
    const inside = await open(tarFile({ storages: [{ type: call }] }));
    expect(inside).toMatchObject({ code: 'torch-broken' });
  });

  it.each<[string, Parts, string | RegExp]>([
    ['a count of more storages', { storageCount: 2n }, 'storage 1 is a list, expected 3 items'],
    [
      'a negative count',
      { storageCount: -1n },
      'the number of storages is -1, expected a non-negative int',
    ],
    [
      'a count of 2⁶²',
      { storageCount: 2n ** 62n },
      'the number of storages is 4611686018427387904, expected a non-negative int',
    ],
    [
      'a storage of an unknown class',
      { storages: [{ type: name('os', 'system') }] },
      'storage 0 has the unsupported class os.system',
    ],
    [
      'a storage of no class',
      { storages: [{ type: null }] },
      'storage 0 has the unsupported class None',
    ],
    [
      'a storage with a negative length',
      { storages: [{ count: -1n }] },
      'the number of elements of storage 0 is -1, expected a non-negative int',
    ],
    [
      'a storage that is longer than the file',
      { storages: [{ count: 2n ** 40n }] },
      /the member "storages" ends at byte \d+, 4398046511104 bytes are needed at byte \d+/,
    ],
    [
      'two storages of one key',
      { storages: [{}, {}] },
      'the key of storage 1 is 5, which is taken',
    ],
    [
      'a view of nothing',
      { views: list(tuple(6n, 9n, 0n, 1n)) },
      'view 0 looks into the storage 9, which the file lacks',
    ],
    [
      'a view that is too long',
      { views: list(tuple(6n, 5n, 2n, 3n)) },
      'view 0 ends at 5 of 4 elements',
    ],
    [
      'a view of three items',
      { views: list(tuple(6n, 5n, 2n)) },
      'view 0 is a tuple, expected 4 items',
    ],
    ['views that are no list', { views: 5n }, 'the views are no list'],
    [
      'a tensor in no storage',
      { tensors: [{ storage: 9n }] },
      'tensor 0 looks into the storage 9, which the file lacks',
    ],
    [
      'a tensor with the key of a storage',
      { tensors: [{ key: 5n }] },
      'the key of tensor 0 is 5, which is taken',
    ],
    [
      'a negative rank',
      { tensors: [{ rank: -1 }] },
      'the rank of tensor 0 is -1, expected a non-negative int',
    ],
    [
      'a rank of 2³¹ − 1',
      { tensors: [{ rank: 2 ** 31 - 1 }] },
      /the member "tensors" ends at byte \d+, 34359738360 bytes are needed/,
    ],
    [
      'a negative size',
      { tensors: [{ longs: [-1n, 1n, 0n] }] },
      "tensor 0: a tensor's size is -1, expected a non-negative int",
    ],
    [
      'a negative stride',
      { tensors: [{ longs: [2n, -1n, 1n] }] },
      "tensor 0: a tensor's stride is -1, expected a non-negative int",
    ],
    [
      'a negative offset',
      { tensors: [{ longs: [2n, 1n, -1n] }] },
      "tensor 0: a tensor's offset is -1, expected a non-negative int",
    ],
    [
      'a tensor that reaches out of its storage',
      { tensors: [{ longs: [2n, 1n, 3n] }] },
      'storage "5" holds 16 bytes, a tensor float32 [2] in it needs 20',
    ],
    [
      'a tensor that reaches out of its view',
      { views: list(tuple(6n, 5n, 0n, 1n)), tensors: [{ storage: 6n }] },
      'storage "5" holds 4 bytes, a tensor float32 [2] in it needs 8',
    ],
    [
      'an object that the file lacks',
      { object: reference('8') },
      'the pickle refers to the object "8", which the file lacks',
    ],
    ['an id that is no text', { object: reference(8n) }, 'a persistent id is 8, expected a text'],
    [
      'a class that is none',
      { object: reference(tuple('a', 'b', 'c')) },
      'a class is "a", expected a name',
    ],
    [
      'numbers of a big-endian machine',
      { system: dict({ little_endian: false }) },
      'the tar file was written on a big-endian machine',
    ],
  ])('refuses %s', async (_, parts, message) => {
    const opened = await open(tarFile(parts));
    expect(opened).toMatchObject({ code: 'torch-broken', severity: 'error' });
    expect('message' in opened && opened.message).toMatch(message);
  });

  it.each<[string, string, (members: TarPart[]) => TarPart[], string]>([
    [
      'a missing member',
      'tar-broken',
      (members) => members.slice(0, 3),
      'tar: the member "storages" is missing',
    ],
    [
      'a member twice',
      'tar-ambiguous',
      (members) => [...members, members[1]!],
      'tar: two members are called "pickle"',
    ],
    [
      'a symbolic link',
      'tar-link',
      (members) => [{ name: 'storages', type: '2' }, ...members],
      'tar: the member "storages" is no plain file (link): it is not followed',
    ],
    [
      'a hard link',
      'tar-link',
      (members) => [...members, { name: 'pickle', type: '1' }],
      'tar: the member "pickle" is no plain file (link): it is not followed',
    ],
    [
      'a sparse member',
      'tar-link',
      (members) => [...members, { name: 'tensors', type: 'S' }],
      'tar: the member "tensors" is no plain file (sparse): it is not followed',
    ],
    [
      'another archive',
      'file-unknown',
      () => [{ name: '../../etc/passwd' }],
      'a tar archive, but no checkpoint: it holds "../../etc/passwd"',
    ],
    [
      'a size that cannot be true',
      'tar-broken',
      (members) => [...members.slice(0, 3), { name: 'storages', size: '77777777777' }],
      'cannot be true',
    ],
  ])('refuses %s', async (_, code, change, message) => {
    const opened = await open(tarFile({ change }));
    expect(opened).toMatchObject({ code, severity: 'error' });
    expect('message' in opened && opened.message).toContain(message);
  });

  it('refuses a file that is cut off, wherever', async () => {
    const whole = tarFile();
    const lastPayload = whole.length - 3 * 512;
    for (let size = 1; size <= lastPayload; size += 97) {
      expect(await open(whole.subarray(0, size))).toMatchObject({ severity: 'error' });
    }
  });
});

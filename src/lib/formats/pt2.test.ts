import { describe, expect, it } from 'vitest';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { isMeta } from '#lib/checkpoint/tensor.ts';
import { isDict, isTensor, tuple, type Value } from '#lib/checkpoint/value.ts';
import { bytesSource } from '#lib/file/source.ts';
import { writePickle } from '#lib/pickle/write.ts';
import { zipOf } from '../../../tests/fixtures/zip.ts';
import { openCheckpoint } from './index.ts';
import { parseProgram } from './pt2.program.ts';

const ints = (...sizes: number[]) => sizes.map((size) => ({ as_int: size }));
const meta = {
  dtype: 7,
  sizes: ints(2, 2),
  requires_grad: true,
  device: { type: 'cuda', index: 0 },
  strides: ints(2, 1),
  storage_offset: { as_int: 0 },
  layout: 7,
};
const weight = { path_name: 'weight_0', is_param: true, use_pickle: false, tensor_meta: meta };

interface Parts {
  config?: Record<string, unknown>;
  /** In place of the config. */
  list?: string;
  records?: Record<string, Uint8Array | string | null>;
}

/** An archive of one program with one weight, and what a test wants else. */
function archiveOf({ config = { w: weight }, list, records = {} }: Parts = {}): Uint8Array {
  const all: Record<string, Uint8Array | string | null> = {
    'm/data/weights/weight_0': new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer),
    'm/data/weights/model_weights_config.json': list ?? JSON.stringify({ config }),
    'm/data/constants/model_constants_config.json': '{"config": {}}',
    'm/models/model.json': '{}',
    'm/archive_format': 'pt2',
    'm/archive_version': '0',
    ...records,
  };
  return zipOf(
    Object.entries(all)
      .filter(([, bytes]) => bytes !== null)
      .map(([name, bytes]) => ({
        name,
        bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes!,
      })),
  );
}

async function open(parts: Parts = {}) {
  const result = await openCheckpoint(bytesSource(archiveOf(parts), 'model.pt2'));
  return result.ok ? result.checkpoint : result.findings[0]!;
}

async function weightOf(parts: Parts = {}): Promise<Value | undefined> {
  const opened = await open(parts);
  if (!('root' in opened)) throw new Error(opened.message);
  const state = isDict(opened.root) ? opened.root.get('state_dict') : undefined;
  return isDict(state) ? state.get('w') : undefined;
}

async function numbers(parts: Parts): Promise<number[]> {
  const tensor = await weightOf(parts);
  if (!isTensor(tensor)) throw new Error('no tensor');
  return [...new Float32Array((await readTensor(tensor)).slice().buffer)];
}

const withMeta = (change: object) => ({
  config: { w: { ...weight, tensor_meta: { ...meta, ...change } } },
});

describe('an exported program', () => {
  const sizes = (...expressions: string[]) =>
    expressions.map((text) => ({ as_expr: { expr_str: text, hint: { as_int: 6 } } }));
  const program = (parts: object = {}) =>
    new TextEncoder().encode(
      JSON.stringify({
        graph_module: {
          graph: { nodes: [], tensor_values: {}, ...parts },
          signature: { input_specs: [], output_specs: [] },
        },
        range_constraints: { s7: { min_val: 3, max_val: null } },
      }),
    );

  it('says which sizes are open, as new and old files write them', () => {
    const written = ["Symbol('s7', positive=True, integer=True)", 's7', "Mul(2, Symbol('s7'))"];
    const x = { dtype: 7, sizes: [...ints(4), ...sizes(...written)], strides: ints(3, 3, 3, 1) };
    const { tensors, ranges, guards } = parseProgram(program({ tensor_values: { x } }), 'm');
    expect(tensors.get('x')!.shape).toEqual([
      4,
      { symbol: 's7', example: 6 },
      { symbol: 's7', example: 6 },
      { symbol: null, example: 6 },
    ]);
    expect(ranges).toEqual(new Map([['s7', { min: 3, max: null }]]));
    expect(guards).toEqual([]);
  });

  it.each([
    [true, [2, 3], [3, 1]],
    [true, [2, 1, 1], [1, 7, 1]],
    [false, [2, 3], [1, 2]],
    [false, [2, 3], [6, 2]],
  ])('says that it is %s that %j with strides %j is contiguous', (isContiguous, shape, strides) => {
    const x = { dtype: 7, sizes: ints(...shape), strides: ints(...strides) };
    const { tensors } = parseProgram(program({ tensor_values: { x } }), 'm');
    expect(tensors.get('x')).toMatchObject({ isContiguous });
  });
});

describe('pt2', () => {
  it('reads a weight as the list says', async () => {
    expect(await weightOf()).toMatchObject({
      dtype: 'float32',
      shape: [2, 2],
      parameter: true,
      requiresGrad: true,
      storage: { location: 'cuda:0' },
    });
    expect(await numbers({})).toEqual([1, 2, 3, 4]);
    expect(await numbers(withMeta({ strides: ints(1, 2) }))).toEqual([1, 3, 2, 4]);
    expect(
      await numbers(withMeta({ sizes: ints(2), strides: ints(1), storage_offset: { as_int: 1 } })),
    ).toEqual([2, 3]);
  });

  it('turns round the words of a big-endian archive', async () => {
    const bytes = new Uint8Array(16);
    [1, 2, 3, 4].forEach((value, at) => new DataView(bytes.buffer).setFloat32(4 * at, value));
    const records = { 'm/byteorder': 'big', 'm/data/weights/weight_0': bytes };
    expect(await numbers({ records })).toEqual([1, 2, 3, 4]);
  });

  it('says that a program without weights holds none', async () => {
    const tensor = await weightOf({ records: { 'm/data/weights/weight_0': '' } });
    expect(isTensor(tensor) && isMeta(tensor.storage)).toBe(true);
  });

  it('shows a pickled object as data, and says what it would call', async () => {
    const call: Value = {
      kind: 'call',
      callable: { kind: 'global', module: 'os', name: 'system' },
      args: tuple('echo hello'),
      how: 'reduce',
    };
    const records = { 'm/data/weights/opaque_obj_0': writePickle(call) };
    const config = {
      w: { path_name: 'opaque_obj_0', is_param: false, use_pickle: true, tensor_meta: null },
    };
    expect(await weightOf({ config, records })).toMatchObject({ kind: 'call' });
    const opened = await open({ config, records });
    expect(opened).toMatchObject({
      findings: [{ code: 'pt2-program' }, { code: 'pickle-dangerous', severity: 'error' }],
      calls: [{ name: 'os.system', count: 1, allowed: false }],
    });
  });

  it('leaves compiled code alone and says that it is there', async () => {
    const records = { 'm/data/aotinductor/model/code.so': '\x7fELF' };
    expect(await open({ records })).toMatchObject({
      findings: [{ code: 'pt2-program' }, { code: 'pt2-compiled', severity: 'warning' }],
    });
    expect(await open({ records: { ...records, 'm/models/model.json': null } })).toMatchObject({
      code: 'pt2-compiled',
      severity: 'error',
    });
  });

  const list = 'record "data/weights/model_weights_config.json"';
  it.each<[string, Parts, string]>([
    ['a list that is no JSON', { list: '{"config": NaN}' }, `${list} is no JSON: `],
    [
      'a list of two weights of one name',
      { list: '{"config": {"w": {}, "w": {}}}' },
      `${list}: the list: "config" has two keys "w"`,
    ],
    ['a list without a config', { list: '{}' }, `${list}: the list: "config" is no object`],
    ['an entry that is no object', { config: { w: 1 } }, `${list}: "w" is no object`],
    [
      'a path that is no text',
      { config: { w: { ...weight, path_name: 1 } } },
      '"w" has no text "path_name"',
    ],
    [
      'a flag that is none',
      { config: { w: { ...weight, is_param: 'yes' } } },
      '"w" has no true or false "is_param"',
    ],
    [
      'a path that climbs',
      { config: { w: { ...weight, path_name: '../../x' } } },
      'the record "data/weights/../../x" of "w" is missing',
    ],
    ['an unknown dtype', withMeta({ dtype: 99 }), '"w": "tensor_meta" has the unknown dtype 99'],
    ['a sparse layout', withMeta({ layout: 1 }), 'has the layout 1, expected 7 (strided)'],
    [
      'a size that is an expression',
      withMeta({ sizes: [{ as_expr: { expr_str: 's0' } }] }),
      '"sizes" has no integer "as_int"',
    ],
    ['sizes that are no list', withMeta({ sizes: null }), 'has no list "sizes"'],
    ['a fraction', withMeta({ sizes: [{ as_int: 1.5 }] }), '"sizes" has no integer "as_int"'],
    [
      'two dtypes in one record',
      { config: { v: weight, w: { ...weight, tensor_meta: { ...meta, dtype: 4 } } } },
      'record "data/weights/weight_0" holds float32 and int32',
    ],
    [
      'a record of half an element',
      { records: { 'm/data/weights/weight_0': 'abc' } },
      'record "weight_0" holds 3 bytes, no multiple of those of a float32',
    ],
    [
      'a missing list',
      { records: { 'm/data/weights/model_weights_config.json': null } },
      'the record "data/weights/model_weights_config.json" is missing',
    ],
    [
      'an archive without a program',
      { records: { 'm/models/model.json': null } },
      'the archive holds no program in models/',
    ],
    [
      'an archive of another format',
      { records: { 'm/archive_format': 'pt3' } },
      'the archive\'s format is "pt3"',
    ],
    [
      'weights that are no file of torch.save',
      { records: { 'm/data/weights/model.pt': 'text' } },
      'it is no file of torch.save',
    ],
  ])('refuses %s', async (_, parts, message) => {
    const opened = await open(parts);
    expect(opened).toMatchObject({ code: 'pt2-broken', severity: 'error' });
    expect('message' in opened && opened.message).toContain(message);
  });

  it.each<[string, object, string]>([
    [
      'a negative size',
      { sizes: ints(-1, 2) },
      "a tensor's size is -1, expected a non-negative int",
    ],
    ['a size over 2⁶³', { sizes: [{ as_int: 2 ** 63 }] }, 'expected a non-negative int'],
    [
      'a tensor that reaches out of its record',
      { sizes: ints(3, 2) },
      'holds 16 bytes, a tensor float32 [3, 2] in it needs 24',
    ],
    ['strides of another rank', { strides: ints(1) }, 'size has 2 axes, stride 1'],
  ])('refuses %s', async (_, change, message) => {
    const opened = await open(withMeta(change));
    expect(opened).toMatchObject({ code: 'torch-broken', severity: 'error' });
    expect('message' in opened && opened.message).toContain(message);
  });

  it('refuses an archive with two programs that readers may take', async () => {
    const records = { 'serialized_exported_program.json': '{}' };
    expect(await open({ records })).toMatchObject({ code: 'pt2-ambiguous' });
  });
});

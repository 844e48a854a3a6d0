import { describe, expect, it } from 'vitest';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, isDict, list, tuple } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import type { FolderFile } from './folder.files.ts';
import { openFolder } from './folder.ts';
import { safetensors } from './safetensors.ts';
import { torch } from './torch.read.ts';

const text = (content: unknown) =>
  new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content));

/** A shard with a tensor of four bytes for each key. */
async function shard(...keys: string[]): Promise<Uint8Array> {
  const sink = memorySink();
  const tensors = keys.map((key) => [key, tensorFromBytes(new Uint8Array(4), 'float32', [1])]);
  await safetensors.write!(dict(new Map(tensors as never)), sink, { stem: 'a' });
  return sink.bytes();
}

async function pickled(...keys: string[]): Promise<Uint8Array> {
  const sink = memorySink();
  const tensors = keys.map((key) => [key, tensorFromBytes(new Uint8Array(4), 'float32', [1])]);
  const root = keys.length > 0 ? dict(new Map(tensors as never)) : list(1n);
  await torch.write!(root, sink, { stem: 'a' });
  return sink.bytes();
}

const index = (map: Record<string, string>, size = 4 * Object.keys(map).length) =>
  text({ metadata: { total_size: size }, weight_map: map });

async function open(files: Record<string, Uint8Array>, name = 'folder', choice?: number) {
  const list = Object.entries(files).map(([path, bytes]): FolderFile => ({
    path,
    source: bytesSource(bytes, path.split('/').at(-1)),
  }));
  const result = await openFolder(name, list, undefined, choice);
  if (!result.ok) return { findings: result.findings };
  const { root, findings, format, name: given, configuration } = result.checkpoint;
  const keys = isDict(root) ? [...root.keys()] : [];
  return { keys, findings, format, name: given, configuration };
}

const one = 'model-00001-of-00002.safetensors';
const two = 'model-00002-of-00002.safetensors';
const INDEX = 'model.safetensors.index.json';
const map = { b: two, a: one, c: one };

async function refusal(files: Record<string, Uint8Array>) {
  const { findings, keys } = await open(files);
  expect(keys).toBeUndefined();
  expect(findings[0]!.message).toMatch(/^folder: .*[^.]$/s);
  expect(findings[0]!.advice).toMatch(/^[A-Z].*\.$/s);
  return findings[0]!;
}

describe('a sharded checkpoint', () => {
  it('is joined in the order of its index', async () => {
    const files = { [one]: await shard('a', 'c'), [two]: await shard('b'), [INDEX]: index(map) };
    const opened = await open(files);
    expect(opened).toMatchObject({ keys: ['b', 'a', 'c'], findings: [], format: 'sharded' });
    expect(opened.name).toBe('folder');
    expect((await open(files, two)).name).toBe('model.safetensors');
  });

  it('lies in a directory of the folder, beside other things', async () => {
    const { keys, findings } = await open({
      'repo/README.md': text('hello'),
      'repo/training_args.bin': await pickled(),
      [`repo/${one}`]: await shard('a', 'c'),
      [`repo/${two}`]: await shard('b'),
      [`repo/${INDEX}`]: index(map),
    });
    expect(keys).toEqual(['b', 'a', 'c']);
    expect(findings).toMatchObject([{ code: 'folder-others', severity: 'info' }]);
    expect(findings[0]!.message).toBe(`opened repo/${INDEX}; not opened: repo/training_args.bin`);
  });

  it('says which shards are missing', async () => {
    const finding = await refusal({ [one]: await shard('a', 'c'), [INDEX]: index(map) });
    expect(finding.code).toBe('shards-missing');
    expect(finding.message).toBe(`folder: sharded: 1 of 2 shards are missing: ${two}`);
  });

  it.each([
    [
      'lies elsewhere',
      ['a'],
      ['b', 'c'],
      'shards-key-elsewhere',
      `"c" in ${one}, it lies in ${two}`,
    ],
    ['is missing', ['a'], ['b'], 'shards-key-missing', `${one} lacks "c"`],
  ])('says which key %s', async (_, first, second, code, message) => {
    const shards = { [one]: await shard(...first), [two]: await shard(...second) };
    const finding = await refusal({ ...shards, [INDEX]: index(map) });
    expect(finding).toMatchObject({ code, where: 'c' });
    expect(finding.message).toContain(message);
  });

  it.each<[name: string, json: string, code: string]>([
    ['no JSON', 'weight_map', 'index-json'],
    ['no object', '[]', 'index-json'],
    ['a key twice', `{"weight_map": {"a": "${one}", "a": "${two}"}}`, 'index-duplicate-key'],
    ['no weight_map', '{}', 'index-weight-map'],
    ['a file that is no string', '{"weight_map": {"a": 1}}', 'index-weight-map'],
    [
      'metadata that is no object',
      `{"weight_map": {"a": "${one}"}, "metadata": 1}`,
      'index-metadata',
    ],
    ...['../a', '/etc/a', 'a/../../b', 'C:a', '..\\\\a', '', '~/a'].map(
      (path): [string, string, string] => [
        `the path ${path}`,
        `{"weight_map": {"a": "${path}"}}`,
        'index-path',
      ],
    ),
  ])('refuses an index with %s', async (_, json, code) => {
    expect(await refusal({ [one]: await shard('a'), [INDEX]: text(json) })).toMatchObject({ code });
  });

  it('tells of what the index does not name, and of a size that is not so', async () => {
    const files = { [one]: await shard('a', 'c', 'd'), [two]: await shard('b', 'a') };
    const { keys, findings } = await open({ ...files, [INDEX]: index(map, 99) });
    expect(keys).toEqual(['b', 'a', 'c']);
    expect(findings.map(({ code }) => code)).toEqual(['shards-key-unindexed', 'index-total-size']);
    expect(findings[0]!.message).toContain("2 of the shards' entries, which are left out: a, d");
  });

  it('names keys that are no strings for what they are', async () => {
    const sink = memorySink();
    const odd = new Dict([
      ['a', tensorFromBytes(new Uint8Array(4), 'float32', [1])],
      [tuple('b', 1n), 2n],
    ]);
    await torch.write!(odd, sink, { stem: 'shard' });
    const path = 'pytorch_model-00001-of-00001.bin';
    const { findings } = await open({
      [path]: sink.bytes(),
      'pytorch_model.bin.index.json': index({ a: path }, 4),
    });
    expect(findings[0]).toMatchObject({ code: 'shards-key-unindexed' });
    expect(findings[0]!.message).toContain('left out: a tuple');
  });

  it('names the shard that is damaged', async () => {
    const files = { [one]: text('cut'), [two]: await shard('b'), [INDEX]: index(map) };
    expect((await refusal(files)).message).toMatch(`folder: ${one}: a text file`);
  });

  it('is no list', async () => {
    const file = 'model-00001-of-00001.bin';
    expect(await refusal({ [file]: await pickled(), a: text('') })).toMatchObject({
      code: 'shards-no-dict',
      where: file,
    });
  });

  it('is joined without an index, which is told', async () => {
    const { keys, findings } = await open({ [two]: await shard('b'), [one]: await shard('a') });
    expect(keys).toEqual(['a', 'b']);
    expect(findings).toMatchObject([{ code: 'shards-no-index', severity: 'info' }]);
  });

  it('needs all shards that their names speak of', async () => {
    const finding = await refusal({ 'm-00002-of-99999.bin': await pickled('a'), b: text('') });
    expect(finding.message).toContain('m-00001-of-99999.bin');
    const missing = await refusal({ [two]: await shard('b'), 'notes.md': text('') });
    expect(missing.message).toBe(`folder: sharded: 1 of 2 shards are missing: ${one}`);
  });

  it('has no key twice where no index decides', async () => {
    const finding = await refusal({ [one]: await shard('a'), [two]: await shard('a') });
    expect(finding).toMatchObject({ code: 'shards-duplicate-key' });
    expect(finding.message).toContain(`both ${one} and ${two} hold "a"`);
  });
});

describe('a folder', () => {
  it('opens its only checkpoint, whatever else there is', async () => {
    const opened = await open({
      'code/model.py': text('import torch'),
      'code/data.npz': text('not looked at'),
      'code/last.pt': await pickled('a'),
    });
    expect(opened).toMatchObject({ keys: ['a'], format: 'torch', name: 'last.pt' });
    expect(opened.findings).toMatchObject([{ code: 'folder-others' }]);
  });

  it('opens its only file by what is in it', async () => {
    expect(await open({ weights: await pickled('a') })).toMatchObject({ keys: ['a'] });
  });

  it('lists its checkpoints where there are several', async () => {
    const finding = await refusal({ 'a.pt': await pickled('a'), 'b/c.safetensors': await shard() });
    expect(finding.code).toBe('folder-several');
    expect(finding.message).toBe('folder: folder: it holds 2 checkpoints: a.pt, b/c.safetensors');
    expect(finding.choices).toEqual(['a.pt', 'b/c.safetensors']);
  });

  it('opens the one that was chosen', async () => {
    const files = { 'a.pt': await pickled('a'), 'b/c.safetensors': await shard('c') };
    expect(await open(files, 'folder', 1)).toMatchObject({ keys: ['c'], name: 'c.safetensors' });
  });

  it('prefers safetensors to pickles of the same model, and says so', async () => {
    const files = { [one]: await shard('a', 'c'), [two]: await shard('b'), [INDEX]: index(map) };
    const bin = 'pytorch_model-00001-of-00001.bin';
    const both = {
      ...files,
      [bin]: await pickled('a'),
      'pytorch_model.bin.index.json': index({ a: bin }),
    };
    const { keys, findings } = await open(both);
    expect(keys).toEqual(['b', 'a', 'c']);
    expect(findings[0]!.message).toBe(`opened ${INDEX}; not opened: pytorch_model.bin.index.json`);
  });

  it('opens the weights that a training saved, not what it keeps beside them', async () => {
    const training = {
      'checkpoint-500/optimizer.pt': await pickled(),
      'checkpoint-500/rng_state_0.pth': await pickled(),
      'checkpoint-500/training_args.bin': await pickled(),
    };
    const weights = { 'checkpoint-500/model.safetensors': await shard('a') };
    const { keys, findings, name } = await open({ ...training, ...weights });
    expect([keys, name]).toEqual([['a'], 'checkpoint-500']);
    expect(findings[0]!.message).toContain('not opened: checkpoint-500/optimizer.pt, ');
    const twice = {
      'pytorch_model.bin': await pickled('a'),
      'model.safetensors': await shard('b'),
    };
    expect(await open(twice)).toMatchObject({ keys: ['b'], name: 'folder' });
    expect(await open(twice, 'model.safetensors')).toMatchObject({ name: 'model.safetensors' });
    const adapter = { 'model.safetensors': await shard('a'), 'adapter_model.bin': await pickled() };
    expect((await refusal(adapter)).code).toBe('folder-several');
    const { keys: alone } = await open({ 'optimizer.pt': await pickled('o') });
    expect(alone).toEqual(['o']);
  });

  it('does not guess between indexes of several models', async () => {
    const index = text({ weight_map: {} });
    const finding = await refusal({ [`unet/${INDEX}`]: index, [`text/${INDEX}`]: index });
    expect(finding.code).toBe('folder-several');
  });

  it('says what it holds where there is no checkpoint', async () => {
    expect(await refusal({ 'a.md': text('a'), 'b.json': text('{}') })).toMatchObject({
      code: 'folder-nothing',
    });
    expect(await refusal({})).toMatchObject({ code: 'folder-nothing' });
  });

  it('asks for .metadata where a distributed checkpoint lacks it', async () => {
    expect(await refusal({ '__0_0.distcp': text('a'), '__1_0.distcp': text('b') })).toMatchObject({
      code: 'dcp-no-metadata',
    });
  });

  it('reads the configuration that lies beside the weights, not another one', async () => {
    const content = { model_type: 'bert', eps: 1e-5, rope: { theta: 500 }, kinds: ['a', null] };
    const { configuration, findings } = await open({
      'config.json': text({ model_type: 'top' }),
      'b/config.json': text(content),
      'b/model.safetensors': await shard('a'),
    });
    expect(findings).toEqual([]);
    expect([...configuration!.entries()]).toEqual([
      ['model_type', 'bert'],
      ['eps', 1e-5],
      ['rope', dict({ theta: 500n })],
      ['kinds', list('a', null)],
    ]);
  });

  it("reads an adapter's configuration, not its model's", async () => {
    const { configuration } = await open({
      'config.json': text({ model_type: 'gpt2' }),
      'adapter_config.json': text({ lora_alpha: 16, r: 8 }),
      'adapter_model.safetensors': await shard('base_model.model.fc.lora_A.weight'),
    });
    expect(configuration!.get('lora_alpha')).toBe(16n);
  });

  it.each([
    ['no JSON', '{', 'character 1: expected a key'],
    ['no object', '[]', 'it holds no object'],
  ])('opens without a configuration that is %s, and says so', async (_, content, reason) => {
    const files = { 'a.safetensors': await shard('a'), 'config.json': text(content) };
    const { keys, configuration, findings } = await open(files);
    expect(keys).toEqual(['a']);
    expect(configuration).toBeUndefined();
    expect(findings).toMatchObject([{ code: 'folder-configuration', severity: 'warning' }]);
    expect(findings![0]!.message).toBe(`folder: config.json is left out: ${reason}`);
  });
});

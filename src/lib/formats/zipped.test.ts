import { describe, expect, it } from 'vitest';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { dict, isDict } from '#lib/checkpoint/value.ts';
import { memorySink, type Sink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import { ZipWriter } from '#lib/file/zip.write.ts';
import { safetensors } from './safetensors.ts';
import { torch } from './torch.read.ts';
import { openFile } from './zipped.ts';

const tensor = tensorFromBytes(Uint8Array.of(1, 2, 3, 4), 'uint8', [4]);
const model = (key: string) => (sink: Sink) =>
  safetensors.write!(dict({ [key]: tensor }), sink, { stem: 'a' });
const text = (content: string) => (sink: Sink) => sink.write(new TextEncoder().encode(content));

async function open(files: Record<string, (sink: Sink) => Promise<void>>, choice?: number) {
  const sink = memorySink();
  const zip = new ZipWriter(sink);
  for (const [path, write] of Object.entries(files)) await zip.addWritten(path, write);
  await zip.finish();
  const result = await openFile(bytesSource(sink.bytes(), 'mine.zip'), undefined, choice);
  if (!result.ok) return result.findings[0]!;
  const { root, name, format } = result.checkpoint;
  return { name, format, keys: isDict(root) ? [...root.keys()] : [] };
}

const [one, two] = [1, 2].map((at) => `model-0000${at}-of-00002.safetensors`) as [string, string];
const index = JSON.stringify({ weight_map: { b: two, a: one } });

describe('a zip with a checkpoint among its files', () => {
  it('opens as the folder that was packed', async () => {
    const shards = { [`run/${one}`]: model('a'), [`run/${two}`]: model('b') };
    const opened = { name: 'mine', format: 'sharded', keys: ['b', 'a'] };
    const file = 'model.safetensors.index.json';
    expect(await open({ ...shards, [`run/${file}`]: text(index) })).toEqual(opened);
    const bare = { [one]: model('a'), [two]: model('b'), [file]: text(index) };
    expect(await open(bare)).toEqual(opened);
  });

  it('is opened past what systems put beside it', async () => {
    const beside = { '__MACOSX/._model.safetensors': text('x'), 'a/.DS_Store': text('x') };
    expect(await open({ ...beside, 'a/model.safetensors': model('w') })).toMatchObject({
      keys: ['w'],
    });
  });

  it('asks which one where there are several', async () => {
    const files = { 'a/x.safetensors': model('x'), 'a/y.safetensors': model('y') };
    expect(await open(files)).toMatchObject({ choices: ['x.safetensors', 'y.safetensors'] });
    expect(await open(files, 1)).toMatchObject({ keys: ['y'] });
  });

  it('is refused without one, as before', async () => {
    expect(await open({ 'a/model.py': text('x') })).toMatchObject({
      code: 'file-unknown',
      message: expect.stringContaining('a zip file, but no checkpoint') as string,
    });
  });

  it('stays one file where it is a checkpoint itself', async () => {
    const sink = memorySink();
    await torch.write!(dict({ w: tensor }), sink, { stem: 'a' });
    const result = await openFile(bytesSource(sink.bytes(), 'w.pt'));
    expect(result).toMatchObject({ ok: true, checkpoint: { name: 'w.pt', format: 'torch' } });
  });
});

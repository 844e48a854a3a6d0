import { describe, expect, it } from 'vitest';
import { list, tuple, type Value } from '#lib/checkpoint/value.ts';
import { bytesSource } from '#lib/file/source.ts';
import { writePickle } from '#lib/pickle/write.ts';
import { tarOf } from '../../../../tests/fixtures/tar.ts';
import { scan } from './scan.ts';

const name = (module: string, name: string): Value => ({ kind: 'global', module, name });

const call: Value = {
  kind: 'call',
  callable: name('os', 'system'),
  args: tuple('echo hello'),
  how: 'reduce',
};

/** The scan of a tar file with one storage: its class, the object in the file, where it was. */
async function report(type: Value, object: Value = null, location: Value = 'cpu') {
  const record = writePickle(tuple(5n, location, type));
  const numbers = new Uint8Array(8 + 4);
  numbers[0] = 1;
  const storages = [writePickle(1n), record, numbers, writePickle(list())];
  const file = tarOf([
    { name: 'pickle', bytes: writePickle(object) },
    { name: 'tensors', bytes: writePickle(0n) },
    { name: 'storages', bytes: new Uint8Array(Buffer.concat(storages)) },
  ]);
  return (await scan(bytesSource(file, 'old.tar'))).report;
}

describe('the scan of a tar file', () => {
  it('looks into the pickles between the numbers', async () => {
    const sound = await report(name('torch', 'FloatStorage'));
    expect(sound).toMatchObject({ verdict: 'refused', pickles: [{ where: 'pickle' }] });
    const other = await report(name('torch.cuda', 'FloatStorage'));
    expect(other.pickles).toHaveLength(1);
  });

  it('calls a file unreadable in which such a pickle names something else', async () => {
    const found = await report(name('os', 'system'));
    expect(found.verdict).toBe('unreadable');
    expect(found.findings.map(({ message }) => message)).toContain(
      'torch: storage 0 has the unsupported class os.system',
    );
  });

  it('says what such a pickle would call, though the file cannot be read on', async () => {
    const found = await report(name('torch', 'FloatStorage'), null, call);
    expect(found.verdict).toBe('unreadable');
    expect(found.pickles).toMatchObject([{}, { where: 'storages, at byte 5', calls: 1 }]);
    expect(found.summary).toContain('Without weights_only it would call os.system.');
  });

  it('says what the object would call', async () => {
    const found = await report(name('torch', 'FloatStorage'), call);
    expect(found.summary).toContain('Without weights_only it would call os.system.');
  });
});

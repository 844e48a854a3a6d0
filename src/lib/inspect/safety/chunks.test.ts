import { expect, it } from 'vitest';
import { bytesSource } from '#lib/file/source.ts';
import { zipOf } from '../../../../tests/fixtures/zip.ts';
import { scan } from './scan.ts';

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const saved = (pickle: string) =>
  zipOf([
    { name: 'archive/data.pkl', bytes: bytes(pickle) },
    { name: 'archive/version', bytes: bytes('3\n') },
  ]);
const plain = saved('\x80\x02}.');
const harmful = saved('\x80\x02cos\nsystem\nU\x04echo\x85R.');
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

async function report(name: string, content: Uint8Array) {
  return (await scan(bytesSource(content, name))).report;
}

it('looks into each chunk of a distributed checkpoint', async () => {
  const told = await report('__0_0.distcp', joined(plain, plain, plain));
  expect(told).toMatchObject({ verdict: 'loads', findings: [] });
  expect(told.format).toBe('torch.distributed.checkpoint, 3 chunks');
  expect(told.pickles.map(({ where }) => where)).toEqual(
    [1, 2, 3].map((number) => `chunk ${number}, archive/data.pkl`),
  );
});

it('refuses the file for one of its chunks, wherever it lies', async () => {
  const many = Array.from({ length: 60 }, () => plain);
  for (const chunks of [
    [harmful, ...many],
    [...many, harmful],
    [...many, harmful, ...many],
  ]) {
    const told = await report('__0_0.distcp', joined(...chunks));
    expect(told.verdict).toBe('refused');
    expect(told.findings.map(({ code }) => code)).toContain('pickle-dangerous');
    expect(told.summary).toContain('os.system');
  }
});

it('takes several zips in a file for ambiguous where bytes lie between them, or by another name', async () => {
  const codes = async (name: string, content: Uint8Array) =>
    (await report(name, content)).findings.map(({ code }) => code);
  expect(await codes('a.pt', joined(plain, plain))).toContain('zip-ambiguous');
  expect(await codes('a.distcp', joined(plain, bytes('between'), plain))).toContain(
    'zip-ambiguous',
  );
});

/**
 * .npy and .npz against NumPy: what it wrote is read bit for bit, what the lab writes are the same
 * bytes that numpy.save writes, and what the lab refuses NumPy refuses too, except where the table
 * says why not.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe as group, expect, it } from 'vitest';
import { isTensor, Dict, type Value } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import type { Format } from '#lib/formats/format.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { npy } from '#lib/formats/npy.ts';
import { npz } from '#lib/formats/npz.ts';
import { scan } from '#lib/inspect/safety/scan.ts';
import { describe } from '../fixtures/describe.ts';
import { fixturesOf } from '../fixtures/made.ts';
import { npyHeader, npyOf, npyRefusals } from '../fixtures/npy.ts';
import { oldPython } from '../python.ts';
import { judgeWritten } from './judge.ts';
import { open } from './lab.ts';
import { compared, keepMatrix } from './matrix.ts';
import { compareRefusals } from './refusals.ts';

keepMatrix(import.meta.url);

interface Twin {
  readonly name: string;
  readonly dtype: string;
  readonly shape: number[];
  readonly hex: string;
  /** What numpy.save writes of it. */
  readonly saved: string;
}

const fixtures = await fixturesOf<Twin>('tests/fixtures/arrays.py');
const folder = mkdtempSync(join(tmpdir(), 'weightroom-arrays-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function written(format: Format, root: Value): Promise<Buffer> {
  const sink = memorySink();
  await format.write!(root, sink, { stem: 'a' });
  return Buffer.from(sink.bytes());
}

async function readOne(path: string) {
  const { root } = await open(path);
  if (!isTensor(root)) throw new Error('no tensor');
  return root;
}

group('npy', () => {
  it.each(fixtures.map((fixture) => [fixture.name, fixture] as const))(
    '%s is read bit for bit, and written as numpy.save does',
    async (_, { path, dtype, shape, hex, saved }) => {
      const tensor = await readOne(path);
      const own = await describe(tensor, { layout: false });
      const contents = new Map([[dtype, 1]]);
      await compared('npy', contents, 'read', () =>
        expect(own).toEqual({ tensor: { dtype, shape, hex } }),
      );
      const again = (await written(npy, tensor)).toString('hex');
      await compared('npy', contents, 'numpy', () => expect(again).toBe(saved));
    },
  );

  it('has a fixture of every dtype, byte order, order and version', () => {
    expect(fixtures).toHaveLength(14 * 2 * 2 + 3 * 2 + 10 * 2 + 2);
  });

  it('refuses an array of objects; the safety report shows its pickle', async () => {
    const pickle = Buffer.from("cos\nsystem\n(S'true'\ntR.", 'latin1');
    const bytes = npyOf(npyHeader("'|O'", '1,'), pickle);
    const { report } = await scan(bytesSource(bytes, 'a.npy'));
    expect(report.pickles).toHaveLength(1);
    expect(report.findings.map(({ code }) => code)).toContain('npy-objects');
    expect(report.verdict).toBe('refused');
    expect(await openCheckpoint(bytesSource(bytes, 'a.npy'))).toMatchObject({
      ok: false,
      findings: [{ code: 'npy-objects' }],
    });
  });

  it('refuses what NumPy refuses', async () => {
    await compareRefusals('npy', npyRefusals, folder);
  });
});

group('npz', async () => {
  const pairs: [string, Value][] = [];
  for (const { name, path } of fixtures) pairs.push([`layers/${name}.weight`, await readOne(path)]);
  const path = join(folder, 'all.npz');
  writeFileSync(path, await written(npz, new Dict(pairs)));
  const expected = fixtures.map(({ name, dtype, shape, hex }) => [
    { str: `layers/${name}.weight` },
    { tensor: { dtype, shape, hex } },
  ]);

  const pythons: [string, string | undefined][] = [['the newest NumPy', undefined]];
  if (oldPython) pythons.push(['NumPy 1', oldPython]);
  it.each(pythons)('is taken by %s: names, dtypes, shapes, elements, CRC-32', async (_, python) => {
    const [judged] = await judgeWritten([path], python);
    expect(judged!.error).toBeUndefined();
    expect(judged!.damaged).toBeNull();
    expect(judged!.root!['dict']).toEqual(expected);
  });

  it('holds the very files that numpy.save writes', async () => {
    const file = readFileSync(path);
    for (const { name, saved } of fixtures) {
      const at = file.indexOf(Buffer.from(`layers/${name}.weight.npy`));
      const start = file.indexOf('\x93NUMPY', at, 'latin1');
      expect(file.toString('hex', start, start + saved.length / 2), name).toBe(saved);
    }
  });
});

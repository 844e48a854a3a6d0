/**
 * safetensors against its own library: what it wrote is read bit for bit, and written again as the
 * very bytes; what the lab refuses the library refuses too, except where the table says why not.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { memorySink } from '#lib/file/sink.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { describe } from '../fixtures/describe.ts';
import { fixturesOf } from '../fixtures/made.ts';
import { safetensorsRefusals } from '../fixtures/safetensors.ts';
import { open } from './lab.ts';
import { compared, contentsOf, keepMatrix } from './matrix.ts';
import { compareRefusals } from './refusals.ts';

keepMatrix(import.meta.url);

interface Twin {
  readonly name: string;
  readonly entries: [{ str: string }, unknown][];
  readonly metadata: Record<string, string>;
}

const fixtures = await fixturesOf<Twin>('tests/fixtures/safetensors_files.py');
const folder = mkdtempSync(join(tmpdir(), 'weightroom-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

const byName = (pairs: [{ str: string }, unknown][]) =>
  pairs.toSorted(([a], [b]) => (a.str < b.str ? -1 : 1));

it.each(fixtures.map((fixture) => [fixture.name, fixture] as const))(
  '%s is read bit for bit, and written as the library does',
  async (_, { path, entries, metadata }) => {
    const checkpoint = await open(path);
    const { dict } = await describe(checkpoint.root, { layout: false });
    const contents = contentsOf({ entries });
    await compared('safetensors', contents, 'read', () =>
      expect(byName(dict as Twin['entries'])).toEqual(byName(entries)),
    );
    expect(Object.fromEntries(checkpoint.metadata)).toEqual(metadata);
    const sink = memorySink();
    await safetensors.write!(checkpoint.root, sink, { stem: '', metadata: checkpoint.metadata });
    const [written, original] = [Buffer.from(sink.bytes()), readFileSync(path)];
    await compared('safetensors', contents, 'safetensors', () =>
      expect(written.toString('latin1')).toBe(original.toString('latin1')),
    );
  },
);

it('has a fixture of every dtype', () => {
  expect(fixtures).toHaveLength(20 + 6);
});

it('refuses what the library refuses', async () => {
  await compareRefusals('safetensors', safetensorsRefusals, folder);
});

/**
 * Files that PyTorch, safetensors and numpy wrote, read by the lab. The twin beside a fixture says
 * what is inside; `written.test.ts` has the way back.
 */
import { readFileSync } from 'node:fs';
import { describe as group, expect, it } from 'vitest';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import { allowedNames } from '#lib/formats/torch.names.ts';
import { describe, type Description } from '../fixtures/describe.ts';
import { newFixtures, oldFixtures, type Fixture } from '../fixtures/made.ts';
import { runPython } from '../python.ts';
import { open } from './lab.ts';
import { compared, contentsOf, keepMatrix, originOf } from './matrix.ts';

keepMatrix(import.meta.url);

const fixtures = [...(await newFixtures()), ...(await oldFixtures())];
const sound = fixtures.filter((fixture) => fixture.root);
const hostile = fixtures.filter((fixture) => fixture.hostile);

const label = (fixture: Fixture) => `${fixture.name} (torch ${fixture.torch})`;
const layout = ({ format }: Fixture) => ({ layout: format === 'torch' || format === 'pickle' });

group('reading', () => {
  it.each(sound.map((fixture) => [label(fixture), fixture] as const))('%s', async (_, fixture) => {
    const checkpoint = await open(fixture.path);
    const legacy = fixture.name.startsWith('legacy_');
    expect(checkpoint.format).toBe(legacy ? 'torch-legacy' : fixture.format);
    const described = await describe(checkpoint.root, layout(fixture));
    const contents = contentsOf(fixture.root!, checkpoint.calls);
    await compared(originOf(fixture), contents, 'read', () => {
      if (['torch', 'pickle'].includes(fixture.format)) expect(described).toEqual(fixture.root);
      else expect(sorted(described)).toEqual(sorted(fixture.root!));
    });
    const locations = [...tensorsIn(checkpoint.root)].map(({ tensor }) => tensor.storage.location);
    if (fixture.location) expect(new Set(locations)).toEqual(new Set([fixture.location]));
    if (fixture.metadata) expect(Object.fromEntries(checkpoint.metadata)).toEqual(fixture.metadata);
  });
});

it('knows the names that weights_only knows', async () => {
  const names = JSON.parse(await runPython('tests/judge/allowed_names.py')) as string[];
  expect([...allowedNames].sort()).toEqual(names);
});

group('hostile files', () => {
  it.each(hostile.map((fixture) => [`${label(fixture)}: ${fixture.hostile}`, fixture] as const))(
    '%s',
    async (_, fixture) => {
      const started = performance.now();
      const source = bytesSource(readFileSync(fixture.path), fixture.name);
      const result = await openCheckpoint(source);
      if (fixture.name === 'hostile_bad_crc') {
        if (!result.ok) throw new Error(result.findings[0]!.message);
        await expect(describe(result.checkpoint.root)).rejects.toThrow('is damaged: its CRC-32 is');
      } else if (result.ok) {
        // What opens must not have been hurt by its contents: harmless to hold, refused on reading.
        const names = result.checkpoint.findings.map(({ code }) => code);
        if (fixture.name.startsWith('hostile_os_system'))
          expect(names).toContain('pickle-dangerous');
        else {
          expect(['hostile_laughs', 'hostile_deep', 'hostile_no_version']).toContain(fixture.name);
        }
      } else {
        const [finding] = result.findings;
        expect(finding!.code).not.toBe('internal');
        expect(finding!.message).toMatch(/^\S+: [a-z0-9].*[^.]$/s);
        expect(finding!.advice).toMatch(/^[A-Z].*\.$/s);
      }
      expect(performance.now() - started).toBeLessThan(2000);
    },
  );
});

/** safetensors has an order of its own. */
function sorted(description: Description): unknown[] {
  const pairs = description.dict as [{ str: string }, unknown][];
  return [...pairs].sort(([a], [b]) => (a.str < b.str ? -1 : 1));
}

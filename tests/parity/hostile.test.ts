/**
 * Hostile and broken files, row by row: what the lab says of each, on opening and in the safety
 * report, and that nothing of it is called safe which is not. Ends with the table.
 */
import { mkdtempSync, openAsBlob, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe as group, expect, it } from 'vitest';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { Dict, isDict, isTensor } from '#lib/checkpoint/value.ts';
import { blobSource, bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { scan } from '#lib/inspect/safety/scan.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import { fixturesOf } from '../fixtures/made.ts';
import { npyRefusals } from '../fixtures/npy.ts';
import { safetensorsRefusals } from '../fixtures/safetensors.ts';

interface Twin {
  readonly row: string;
  readonly name: string;
  readonly path: string;
  /** Codes of findings that must be among those of the scan and of opening. */
  readonly codes: readonly string[];
  readonly opens?: boolean;
  /** May be shown in green. */
  readonly green?: boolean;
  /** A finding names the byte. */
  readonly offset?: boolean;
  /** Its pickle is shown, though the file is refused. */
  readonly shown?: boolean;
  readonly verdict?: string;
  readonly records?: number;
  /** A million of something take their time. */
  readonly slow?: boolean;
  /** What reading its tensors says. */
  readonly reading?: string;
  /** The bytes of its one tensor. */
  readonly bits?: string;
}

const parts = ['tests/fixtures/hostile.py'];
const twins = await fixturesOf<Twin>('tests/fixtures/hostile_rows.py', { parts });
const gguf = await fixturesOf<{ name: string; code?: string }>('tests/fixtures/gguf.py', {
  parts: ['tests/judge/describe_gguf.py'],
});

/** No small file keeps anybody waiting, on a busy machine either. */
const MAX_MILLISECONDS = 10_000;

const table: [row: string, file: string, says: string][] = [];
const folder = mkdtempSync(join(tmpdir(), 'weightroom-hostile-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
  const rows = new Set(table.map(([row]) => row));
  const lines = [...rows].flatMap((row) => [
    row,
    ...table.filter(([of]) => of === row).map(([, file, says]) => `    ${file.padEnd(34)} ${says}`),
  ]);
  console.log(`${lines.join('\n')}\n${rows.size} rows, ${table.length} files`);
});

/** What opening and scanning a file say. */
async function examine(path: string) {
  const source = bytesSource(new Uint8Array(readFileSync(path)), basename(path));
  const opened = await openCheckpoint(source);
  const { report, records } = await scan(source);
  const onOpening = opened.ok ? opened.checkpoint.findings : opened.findings;
  return { opened, report, records, findings: [...onOpening, ...report.findings] };
}

/** Sentences that people read: in lower case, without controls and bidi characters. */
function check({ code, severity, message, where = '' }: Finding): void {
  expect(code).toMatch(/^[a-z0-9]+(-[a-z0-9]+)+$/);
  expect(['info', 'warning', 'error']).toContain(severity);
  expect(message).toMatch(/^\S.*[^.]$/su);
  expect(message + where).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
}

group.each([...new Set(twins.map(({ row }) => row))])('%s', (row) => {
  it.each(twins.filter((twin) => twin.row === row).map((twin) => [twin.name, twin] as const))(
    '%s',
    async (name, twin) => {
      const started = performance.now();
      const { opened, report, records, findings } = await examine(twin.path);
      if (!twin.slow) expect(performance.now() - started).toBeLessThan(MAX_MILLISECONDS);
      const codes = findings.map(({ code }) => code);
      const told = [...new Set(codes)].join(' ') || 'nothing';
      table.push([row, basename(twin.path), `${report.verdict}; ${told}`]);

      report.findings.forEach(check);
      expect(codes).toEqual(expect.arrayContaining([...twin.codes]));
      expect(opened.ok).toBe(twin.opens === true);
      const isGreen =
        ['loads', 'plain'].includes(report.verdict) &&
        report.findings.every(({ severity }) => severity !== 'error');
      expect(isGreen).toBe(twin.green === true);
      if (twin.offset) {
        const places = findings.map(({ where }) => where ?? '').join(' ');
        expect(places).toMatch(/byte \d+/);
      }
      if (twin.shown)
        expect(report.pickles.map(({ where }) => where)).toContain('archive/data.pkl');
      if (twin.verdict) expect(report.verdict).toBe(twin.verdict);
      if (twin.records) expect(records).toHaveLength(twin.records);
      for (const { name } of records) {
        expect(name).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      }
      if (!opened.ok) return;
      const { root } = opened.checkpoint;
      const tensors = [...tensorsIn(root)].map(({ tensor }) => tensor);
      if (twin.reading) {
        await expect(Promise.all(tensors.map((it) => readTensor(it)))).rejects.toThrow(
          twin.reading,
        );
      }
      if (twin.bits) {
        expect(Buffer.from(await readTensor(tensors[0]!)).toString('hex')).toBe(twin.bits);
      }
      if (name === 'equal') expect([...(root as Dict).entries()]).toEqual([[1n, 12n]]);
      if (name === 'proto') {
        expect(isDict(root) && [root.get('__proto__'), root.get('constructor')]).toEqual([1n, 2n]);
        expect(({} as Record<string, unknown>)['constructor']).toBe(Object);
      }
    },
  );
});

group('formats without code', () => {
  const refused = [
    ...safetensorsRefusals.map((it) => ({ ...it, format: 'safetensors' })),
    ...npyRefusals.map((it) => ({ ...it, format: 'npy' })),
  ].map(({ format, code, what, bytes }) => ({ format, code: `${format}-${code}`, what, bytes }));
  const damaged = gguf
    .filter(({ code }) => code)
    .map(({ name, code, path }) => {
      return { format: 'gguf', code: code!, what: name, bytes: new Uint8Array(readFileSync(path)) };
    });

  it.each([...refused, ...damaged].map((it) => [`${it.code}: ${it.what}`, it] as const))(
    '%s',
    async (_, { format, code, what, bytes }) => {
      const source = bytesSource(bytes, `${what}.${format}`);
      const result = await openCheckpoint(source);
      expect(result.ok).toBe(false);
      if (result.ok) return;
      const { report } = await scan(source);
      table.push([`${format}: header and data`, what, `${report.verdict}; ${code}`]);
      expect(result.findings.map((finding) => finding.code)).toContain(code);
      expect(['plain', 'loads']).not.toContain(report.verdict);
    },
  );
});

it('a file that changes while it is read asks to be opened again', async () => {
  const path = join(folder, 'changes.pt');
  const { path: sound } = twins.find(({ name }) => name === 'specials')!;
  writeFileSync(path, readFileSync(sound));
  const source = blobSource(await openAsBlob(path), 'changes.pt');
  const result = await openCheckpoint(source);
  const root = result.ok ? result.checkpoint.root : null;
  const tensor = isDict(root!) ? root.get('w') : undefined;
  if (!isTensor(tensor)) throw new Error('the file did not open');
  writeFileSync(path, 'something else');
  const message = /changed, moved or removed since it was opened\); open it again/;
  await expect(readTensor(tensor)).rejects.toThrow(message);
  table.push(['the file changes while it is read', 'changes.pt', 'open it again']);
});

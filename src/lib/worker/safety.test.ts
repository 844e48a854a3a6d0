import { expect, test } from 'vitest';
import { bytesSource } from '#lib/file/source.ts';
import { Safety } from './safety.ts';

const signal = new AbortController().signal;

/** BINUNICODE */
function text(content: string): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.from('X'), length, bytes]);
}

/** A pickle whose result is a persistent id: a class with its file and its source. */
function classWith(source: string): Uint8Array {
  return Buffer.concat([
    Buffer.from('\x80\x02(', 'latin1'),
    text('module'),
    Buffer.from('c__main__\nNet\n'),
    text('/home/me/net.py'),
    text(source),
    Buffer.from('tQ.'),
  ]);
}

test('lists the sources that a file carries, and gives their text without what hides a part', async () => {
  const source = 'class Net:\r\n\tname = "a\u202eb"  # é\n';
  const safety = await Safety.scan(bytesSource(classWith(source), 'net.pkl'), signal);
  expect(safety.report.sources).toEqual([
    { name: '__main__.Net', file: '/home/me/net.py', bytes: Buffer.byteLength(source), lines: 2 },
  ]);
  expect(safety.report.findings.map(({ code }) => code)).toContain('torch-sources');
  expect(safety.sourceText(0)).toBe('class Net:\n\tname = "a\\u202eb"  # é\n');
  expect(() => safety.sourceText(1)).toThrow('safety: there is no source 1');
});

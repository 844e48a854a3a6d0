import { expect, test } from 'vitest';
import { bytesSource } from '#lib/file/source.ts';
import { safetyHandlers } from './lab.safety.ts';
import { LabState } from './lab.state.ts';
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

test('of two scans the one that was begun last is looked into, whichever ends first', async () => {
  const handlers = safetyHandlers(new LabState());
  const { promise: opened, resolve: open } = Promise.withResolvers<undefined>();
  /** Cannot be read before the gate is open. */
  class SlowFile extends File {
    override slice(start?: number, end?: number): Blob {
      const part = super.slice(start, end);
      const arrayBuffer = async () => (await opened, Blob.prototype.arrayBuffer.call(part));
      return Object.assign(part, { arrayBuffer });
    }
  }
  const content = (source: string) => new Uint8Array(classWith(source));
  const context = { signal, progress: () => {} };
  const first = handlers.scan({ file: new SlowFile([content('first')], 'a.pkl') }, context);
  const second = await handlers.scan({ file: new File([content('second')], 'b.pkl') }, context);
  open(undefined);
  expect([await first, second]).toMatchObject([{ ok: true }, { ok: true }]);
  expect(await handlers.classSource({ index: 0 }, context)).toMatchObject({ text: 'second' });
});

/** Builds sources that mean harm, and says what refusing them costs. */
import type { Finding } from '#lib/checkpoint/finding.ts';
import { readSource, type SourceFile } from '#lib/architecture/source.ts';

/** A class `Net` with these lines in `__init__` and in `forward`. */
function netOf(init: readonly string[], forward: readonly string[]): SourceFile {
  const indented = (lines: readonly string[]) => lines.map((line) => `        ${line}`);
  const text = [
    'import torch, torch.nn as nn, math',
    'class Net(nn.Module):',
    '    def __init__(self):',
    '        super().__init__()',
    ...indented(init),
    '        self.done = nn.Linear(1, 1)',
    ...(forward.length > 0 ? ['', '    def forward(self, x):', ...indented(forward)] : []),
  ].join('\n');
  return { name: 'model.py', text };
}

/** What reading a file is refused with; null where it is read. */
export function parsing(file: SourceFile): Finding | null {
  const read = readSource([file]);
  return read.ok ? null : said(read.findings[0]!);
}

/** What building `Net` with this body of `__init__` is refused with. */
export function refusal(...init: string[]): Finding {
  const read = readSource([netOf(init, [])]);
  if (!read.ok) return said(read.findings[0]!);
  const built = read.source.build('Net');
  if (built.ok) throw new Error('it was built');
  return said(built.findings[0]!);
}

/** What tracing `Net` with this forward is refused with; null where it is traced. */
export function tracing(...forward: string[]): Finding | null {
  const read = readSource([netOf([], forward)]);
  if (!read.ok) throw new Error(read.findings[0]!.message);
  const built = read.source.build('Net');
  if (!built.ok) throw new Error(built.findings[0]!.message);
  const traced = built.module.trace([{ shape: [2, 3], dtype: 'float32' }], { training: false });
  return traced.ok ? null : said(traced.findings[0]!);
}

/** A sentence of the lab's, not of a JavaScript engine. */
function said(finding: Finding): Finding {
  const words = /undefined|cannot read|is not a function|not iterable|\[object/i;
  if (words.test(finding.message)) throw new Error(`an engine says: ${finding.message}`);
  return finding;
}

const spent: { name: string; seconds: number }[] = [];

/** Runs it and remembers the processor time, which other programs change little. */
export function measured<T>(name: string, run: () => T): T {
  const before = process.cpuUsage();
  const result = run();
  const { user, system } = process.cpuUsage(before);
  spent.push({ name, seconds: (user + system) / 1e6 });
  return result;
}

/** A line for each of the most expensive ones. */
export function costs(): string {
  const sum = spent.reduce((all, { seconds }) => all + seconds, 0);
  const worst = spent.toSorted((a, b) => b.seconds - a.seconds).slice(0, 12);
  return [
    `${spent.length} hostile sources: ${sum.toFixed(1)} s of the processor; of the slowest:`,
    ...worst.map(({ name, seconds }) => `  ${seconds.toFixed(2)}  ${name}`),
  ].join('\n');
}

/** The printable report says of a checkpoint's tensors what PyTorch finds when it loads the file. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { formatBytes } from '#lib/checkpoint/figures.ts';
import { Lab } from '#lib/worker/lab.ts';
import { newFixtures } from '../fixtures/made.ts';
import { runPython } from '../python.ts';
import { unwrap } from './lab.ts';

type Row = [name: string, dtype: string, shape: number[], bytes: number, most: number | null];

const fixtures = await newFixtures();
const names = ['adamw', 'data_parallel', 'dtypes', 'empty_tensors'];
const paths = [
  ...names.map((name) => fixtures.find((fixture) => fixture.name === name)!.path),
  'public/samples/digits/last.pth',
];
const judged = (await runPython('tests/judge/report.py', paths)).trim().split('\n');

it.each(paths.map((path, at) => [basename(path), path, judged[at]!]))(
  '%s',
  async (name, path, line) => {
    const rows = JSON.parse(line) as Row[];
    expect(rows.length).toBeGreaterThan(1);
    const { handlers } = new Lab();
    const context = { signal: new AbortController().signal, progress() {} };
    unwrap(await handlers.open({ file: new File([readFileSync(path)], name) }, context));
    const { table } = unwrap(await handlers.tensorTable({}, context));
    unwrap(await handlers.summarize({ rows: [...table.names.keys()] }, context));
    const { file } = unwrap(await handlers.checkpointReport({}, context));
    const html = await file.text();

    const listed = tableBelow(html, 'Tensors');
    const isHeld = ([, dtype, shape, bytes]: string[]) => `${dtype} ${shape} ${bytes}`;
    expect(listed.map((cells) => `${cells[0]!.split(' ')[0]} ${isHeld(cells)}`)).toEqual(
      rows.map(
        ([key, dtype, shape, bytes]) =>
          `${key} ${dtype} [${shape.join(', ')}] ${formatBytes(bytes)}`,
      ),
    );
    // Of real floating-point tensors, the largest finite value.
    rows.forEach(([key, , , , most], at) => {
      if (most !== null) expect([key, Number(listed[at]![5])]).toEqual([key, rounded(most)]);
    });
    const totals = tableBelow(html, 'Totals');
    const byDtype = Map.groupBy(rows, ([, dtype]) => dtype);
    const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
    expect(new Set(totals.map((cells) => cells.slice(0, 3).join(' ')))).toEqual(
      new Set(
        [...byDtype].map(([dtype, some]) => {
          const elements = sum(some.map(([, , shape]) => shape.reduce((a, b) => a * b, 1)));
          return `${dtype} ${some.length} ${elements.toLocaleString('en-US')}`;
        }),
      ),
    );
  },
);

/** Six significant digits, as the report has them; integers are whole. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(6));
}

/** Cells of the first table below a heading, as texts. */
function tableBelow(html: string, heading: string): string[][] {
  const from = html.indexOf(`<h2>${heading}</h2>`);
  const body = /<tbody>([\s\S]*?)<\/tbody>/.exec(html.slice(from))![1]!;
  return [...body.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([, row]) =>
    [...row!.matchAll(/<td[^>]*>([\s\S]*?)<\/td>/g)].map(([, cell]) =>
      cell!
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    ),
  );
}

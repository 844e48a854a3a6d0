/**
 * A checkpoint on paper: one HTML file without scripts that says what is in it, what it would do when
 * it is loaded, and of each tensor what is known. Everything in it is text that was escaped; a policy
 * of its own forbids the file to load or run anything.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { formatBytes, formatShape, plural } from '#lib/checkpoint/figures.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { recogniseOptimizer, type FoundOptimizer } from '#lib/checkpoint/optimizer.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { formatTitle } from '#lib/formats/folder.ts';
import { label, pythonKey, summary } from '../repr.ts';
import type { SafetyReport } from '../safety/report.ts';
import { titleOf, toneOf } from '../safety/tone.ts';
import type { TensorSummary } from '../tensor_statistics.ts';
import { html, joined, Markup } from './markup.ts';
import { pythonLines } from './python_lines.ts';
import { STYLE } from './style.ts';
import { totalsByDtype, totalsByPrefix, type Total } from './totals.ts';

export interface ReportSubject {
  readonly checkpoint: Checkpoint;
  /** Of its file; of a folder, of the first of its files. */
  readonly safety: SafetyReport;
  /** Epoch, metrics, versions. */
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  /** Dicts that look like a model's, as Python reaches them, the likeliest first. */
  readonly stateDicts: readonly { readonly label: string; readonly tensors: number }[];
  readonly optimizer: FoundOptimizer | null;
  /** Each tensor once. */
  readonly totals: { readonly tensors: number; readonly elements: number };
  /** At every place where it stands. */
  readonly tensors: readonly ReportTensor[];
  /** Of Weightroom. */
  readonly version: string;
  readonly made: Date;
}

export interface ReportTensor {
  /** Keys joined by dots. */
  readonly name: string;
  readonly tensor: Tensor;
  /** What it takes of all storages, in bytes: of tied tensors, the first takes all. */
  readonly stored: number;
  /** What else is known: the parameter that it is a state of, what it is tied with. */
  readonly remarks: readonly string[];
  /** Where its numbers have been counted. */
  readonly statistics: TensorSummary | null;
}

/** Tensors that are listed; a browser prints them on some 400 pages. */
const MAX_TENSORS = 20_000;
/** Rows of the totals by name. */
const MAX_PREFIXES = 40;
/** Findings, names of calls, entries of the metadata, options of a group. */
const MAX_LISTED = 200;

export function reportHtml(subject: ReportSubject): string {
  const { checkpoint, version, made } = subject;
  const date = made.toISOString().slice(0, 16).replace('T', ' ');
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${checkpoint.name} – report</title>
        <style>
          ${new Markup(STYLE)}
        </style>
      </head>
      <body>
        <h1>${checkpoint.name}</h1>
        <p class="muted">Read by Weightroom ${version}, ${date} UTC. Nothing in it was executed.</p>
        ${overview(subject)} ${safety(subject)} ${loading(subject)} ${findings(subject)}
        ${sums(subject)} ${optimizer(subject)} ${metadata(subject)} ${tensors(subject)}
        <footer>Sizes are decimal: 1 MB is 1,000,000 bytes.</footer>
      </body>
    </html> `.text;
}

function overview({ checkpoint, facts, totals, stateDicts }: ReportSubject): Markup {
  const rows = [
    { label: 'Format', value: formatTitle(checkpoint.format) },
    { label: 'Size', value: `${formatBytes(checkpoint.size)} (${grouped(checkpoint.size)} bytes)` },
    { label: 'Tensors', value: grouped(totals.tensors) },
    { label: 'Elements', value: grouped(totals.elements) },
    ...stateDicts.map((it) => ({
      label: 'state_dict',
      value: `${it.label}, ${plural(it.tensors, 'tensor')}`,
    })),
    // What the container says stands below, uncut.
    ...facts.filter((fact) => !checkpoint.metadata.has(fact.label)),
  ];
  return html`<section>${entries(rows)}</section>`;
}

function safety({ checkpoint, safety: report }: ReportSubject): Markup {
  const isPart = report.name !== checkpoint.name;
  const names = report.pickles.flatMap((pickle) => pickle.names.filter(({ calls }) => calls > 0));
  const worstFirst = names.toSorted((a, b) => RANK[a.standing] - RANK[b.standing]);
  return html`<h2>Safety</h2>
    ${isPart ? html`<p>Of ${report.name}, the first of its files:</p>` : null}
    <div class="verdict ${toneOf(report)}">
      <strong>${titleOf(report)}</strong>
      <p>${report.summary}</p>
    </div>
    ${
      names.length === 0
        ? html`<p>It asks for no calls.</p>`
        : html`<p>Unpickling it calls these names:</p>
            ${table(['Name', 'weights_only', '#Calls'], worstFirst, ({ name, standing, calls }) => [
              code(name),
              html`${STANDINGS[standing]}`,
              count(calls),
            ])}`
    }`;
}

const RANK = { dangerous: 0, unknown: 1, allowed: 2 } as const;
const STANDINGS = {
  dangerous: 'refused: it runs commands or code',
  unknown: 'refused: not on its list',
  allowed: 'allowed',
} as const;

function loading({ checkpoint, safety: report, stateDicts }: ReportSubject): Markup | null {
  const { format, name } = checkpoint;
  const isBin = report.name.endsWith('.bin');
  const [first] = stateDicts;
  const stateDict = first ? (first.label.startsWith('[') ? first.label : '') : null;
  const lines = pythonLines({
    format: format === 'sharded' && isBin ? 'sharded-bin' : format,
    name,
    stateDict,
  });
  return lines === null
    ? null
    : html`<h2>In Python</h2>
        <pre>
${joined(
            lines.split('\n').map((line) => html`${line}`),
            '\n',
          )}</pre>`;
}

function findings({ checkpoint, safety: report }: ReportSubject): Markup {
  const all = new Map<string, Finding>();
  for (const finding of [...checkpoint.findings, ...report.findings]) {
    all.set(`${finding.code} ${finding.where} ${finding.message}`, finding);
  }
  const listed = [...all.values()].slice(0, MAX_LISTED);
  return html`<h2>Findings</h2>
    ${
      listed.length === 0
        ? html`<p>None.</p>`
        : html`<ul>
            ${listed.map(
              ({ severity, where, message, advice }) =>
                html`<li class="${severity}">
                  ${severity}: ${label(message)}${where ? ` (${label(where)})` : null}
                  ${advice ? html`<br /><span class="muted">${advice}</span>` : null}
                </li>`,
            )}
          </ul>`
    }
    ${cut(listed.length, all.size)}`;
}

function sums({ tensors }: ReportSubject): Markup | null {
  if (tensors.length === 0) return null;
  const whole = tensors.reduce((sum, { stored }) => sum + stored, 0);
  const rows = (title: string, list: readonly Total[]) =>
    table([title, '#Tensors', '#Elements', '#Stored', '#Share'], list, (total) => [
      code(total.name),
      count(total.tensors),
      count(total.elements),
      html`${formatBytes(Math.round(total.stored))}`,
      html`${whole > 0 ? `${((100 * total.stored) / whole).toFixed(1)} %` : '–'}`,
    ]);
  return html`<h2>Totals</h2>
    <p class="muted">Tensors that share their elements are stored once.</p>
    ${rows('dtype', totalsByDtype(tensors))} ${rows('Names', totalsByPrefix(tensors, MAX_PREFIXES))}`;
}

function optimizer({ optimizer: found }: ReportSubject): Markup | null {
  if (!found) return null;
  const { groups, states } = found.optimizer;
  const known = recogniseOptimizer(found.optimizer);
  const name = known ? `${known.name}${known.certain ? '' : ', by its traces'}` : 'not known';
  return html`<h2>Optimizer</h2>
    ${entries([
      { label: 'Key', value: `[${pythonKey(found.key)}]` },
      { label: 'Class', value: name },
      { label: 'States', value: grouped(states.size) },
    ])}
    ${groups.slice(0, MAX_LISTED).map(
      ({ ids, options }, at) =>
        html`<h3>param_groups[${at}], ${plural(ids.length, 'parameter')}</h3>
          ${entries(
            [...options.entries()]
              .filter(([key]) => key !== 'params')
              .slice(0, MAX_LISTED)
              .map(([key, value]) => ({ label: label(key), value: summary(value) })),
          )}`,
    )}
    ${cut(Math.min(groups.length, MAX_LISTED), groups.length)}`;
}

function metadata({ checkpoint }: ReportSubject): Markup | null {
  const all = [...checkpoint.metadata];
  if (all.length === 0) return null;
  const listed = all.slice(0, MAX_LISTED);
  return html`<h2>Metadata</h2>
    ${entries(listed.map(([key, value]) => ({ label: label(key), value: label(value) })))}
    ${cut(listed.length, all.length)}`;
}

function tensors({ tensors: all }: ReportSubject): Markup | null {
  if (all.length === 0) return null;
  const listed = all.slice(0, MAX_TENSORS);
  const counted = listed.filter(({ statistics }) => statistics).length;
  const numbers = counted > 0 ? ['#Min', '#Max', '#Mean', '#Std', '#Zeros', '#NaN', '#±Inf'] : [];
  return html`<h2>Tensors</h2>
    ${
      counted > 0 && counted < listed.length
        ? html`<p class="muted">
            The numbers of ${count(counted)} of ${count(listed.length)} have been computed.
          </p>`
        : null
    }
    ${table(['Name', 'dtype', 'Shape', '#Bytes', ...numbers], listed, (row) => [
      html`${code(row.name)}${
        row.remarks.length > 0 ? html` <span class="muted">${row.remarks.join(', ')}</span>` : null
      }`,
      html`${row.tensor.dtype}`,
      html`${formatShape(row.tensor.shape)}`,
      html`${formatBytes(numel(row.tensor.shape) * itemsize(row.tensor.dtype))}`,
      ...(counted > 0 ? numbersOf(row.statistics) : []),
    ])}
    ${cut(listed.length, all.length)}`;
}

function numbersOf(statistics: TensorSummary | null): Markup[] {
  if (!statistics) return new Array<Markup>(7).fill(html``);
  const { min, max, mean, std, zeros, nans, positiveInfinities, negativeInfinities } = statistics;
  const exact = (value: number | bigint | null) =>
    html`${typeof value === 'number' ? figure(value) : value === null ? '' : String(value)}`;
  return [
    ...[min, max, mean, std].map(exact),
    ...[zeros, nans, positiveInfinities + negativeInfinities].map(count),
  ];
}

/** Six significant digits, as PyTorch prints at most. */
function figure(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15
    ? String(value)
    : String(Number(value.toPrecision(6)));
}

function entries(rows: readonly { readonly label: string; readonly value: string }[]): Markup {
  return html`<dl>
    ${rows.map(
      (row) =>
        html`<dt>${row.label}</dt>
          <dd>${row.value}</dd>`,
    )}
  </dl>`;
}

/** Titles that begin with # are of numbers. */
function table<Row>(
  titles: readonly string[],
  rows: readonly Row[],
  cellsOf: (row: Row) => readonly Markup[],
): Markup {
  const classOf = (at: number) => (titles[at]!.startsWith('#') ? html` class="number"` : null);
  const head = titles.map(
    (title, at) => html`<th scope="col" ${classOf(at)}>${title.replace(/^#/, '')}</th>`,
  );
  const body = rows.map(
    (row) =>
      html`<tr>
        ${cellsOf(row).map((cell, at) => html`<td${classOf(at)}>${cell}</td>`)}
      </tr> `,
  );
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </div>`;
}

/** Says where a list was cut. */
function cut(listed: number, all: number): Markup | null {
  return listed === all
    ? null
    : html`<p class="muted">The first ${count(listed)} of ${count(all)} are listed.</p>`;
}

function code(text: string): Markup {
  return html`<code>${text}</code>`;
}

function count(number: number): Markup {
  return html`${grouped(number)}`;
}

function grouped(number: number): string {
  return number.toLocaleString('en-US');
}

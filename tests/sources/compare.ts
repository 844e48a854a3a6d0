/** Reads a source in the lab, has PyTorch run it, and compares: keys, and outputs on tfjs's CPU. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSource, type ModuleTree, type SourceFile } from '#lib/architecture/source.ts';
import { open, useBackend } from '../parity/lab.ts';
import type { SourceCase } from './case.ts';
import { inputSpecs, judge, largestError, unwrap, type Entries } from './outputs.ts';

/** What became of one case; a step that was not reached is null. */
export interface Outcome {
  readonly name: string;
  readonly instantiated: boolean;
  readonly keys: number | null;
  readonly keysEqual: boolean | null;
  readonly traced: boolean | null;
  readonly nodes: number | null;
  /** The largest relative error of an output. */
  readonly error: number | null;
  /** Time to read, build and trace, in ms. */
  readonly time: number;
  readonly why: string;
  /** True where PyTorch cannot run the case either. */
  readonly refused: boolean;
}

/** The .py files of a case, with paths as imports have them. */
export function filesOf(root: string, { files, folder }: SourceCase): SourceFile[] {
  const top = join(root, folder);
  const prefix = folder === 'torchvision' ? 'torchvision/' : '';
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.py') && (!files || files.some((it) => path.startsWith(it))))
    .toSorted()
    .map((path) => ({ name: `${prefix}${path}`, text: readFileSync(join(top, path), 'utf8') }));
}

/** Runs cases one after the other; `report` hears of each as soon as it is done. */
export async function compareSources(
  root: string,
  cases: readonly SourceCase[],
  python: string,
  report: (outcome: Outcome) => void = () => {},
): Promise<Outcome[]> {
  await useBackend('cpu');
  const outcomes: Outcome[] = [];
  for (const item of cases) {
    const folder = mkdtempSync(join(tmpdir(), 'weightroom-source-'));
    try {
      const outcome = await compareOne(root, item, python, join(folder, 'judged.pt'));
      outcomes.push(outcome);
      report(outcome);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return outcomes;
}

async function compareOne(
  root: string,
  item: SourceCase,
  python: string,
  file: string,
): Promise<Outcome> {
  const outcome: { -readonly [K in keyof Outcome]: Outcome[K] } = {
    name: item.name,
    instantiated: false,
    keys: null,
    keysEqual: null,
    traced: null,
    nodes: null,
    error: null,
    time: 0,
    why: '',
    refused: false,
  };
  const isInstalled = item.folder === 'torchvision';
  const ask = () => judge(item, isInstalled ? null : root, python, file);
  try {
    const started = performance.now();
    const files = [...filesOf(root, item), { name: 'case.py', text: item.code }];
    const { source } = unwrap(readSource(files));
    const { module } = unwrap(source.build('build'));
    outcome.instantiated = true;
    outcome.time = performance.now() - started;
    const state = await ask();
    outcome.keys = module.state.length;
    const difference = keyDifference(module, state);
    outcome.keysEqual = difference === null;
    if (difference !== null) throw new Error(difference);
    const tracing = performance.now();
    const { graph } = unwrap(module.trace(inputSpecs(item), { training: false }));
    outcome.time += performance.now() - tracing;
    outcome.traced = true;
    outcome.nodes = graph.nodes.length;
    outcome.error = await largestError(module, graph, (await open(file)).root);
  } catch (error) {
    outcome.why = error instanceof Error ? error.message : String(error);
    const theirs = await ask().then(
      () => null,
      (refusal: Error) => refusal.message,
    );
    if (theirs !== null) {
      outcome.refused = true;
      outcome.why = `PyTorch refuses too: ${theirs.replace('PyTorch: ', '')}; here: ${outcome.why}`;
    }
  }
  return outcome;
}

/** The first entry of the state_dict that differs. */
function keyDifference(module: ModuleTree, state: Entries): string | null {
  const ours = module.state.map(({ key, shape, dtype }) => JSON.stringify([key, shape, dtype]));
  const theirs = state.map((entry) => JSON.stringify(entry));
  for (let at = 0; at < Math.max(ours.length, theirs.length); at++) {
    if (ours[at] !== theirs[at]) {
      return `entry ${at} is ${ours[at] ?? 'missing'}, PyTorch has ${theirs[at] ?? 'no more'}`;
    }
  }
  return null;
}

const sign = (value: boolean | null) => (value === null ? '-' : value ? 'yes' : 'no');

/** The table's head and one line of it. */
export const head = `${'model'.padEnd(42)} made  keys     same  traced nodes  error    ms     why not`;

export function line(outcome: Outcome): string {
  const { name, instantiated, keys, keysEqual, traced, nodes, error, time, why } = outcome;
  return [
    name.padEnd(42),
    sign(instantiated).padEnd(5),
    String(keys ?? '-').padEnd(8),
    sign(keysEqual).padEnd(5),
    sign(traced).padEnd(6),
    String(nodes ?? '-').padEnd(6),
    (error?.toExponential(1) ?? '-').padEnd(8),
    String(Math.round(time)).padEnd(6),
    why.slice(0, 200),
  ]
    .join(' ')
    .trimEnd();
}

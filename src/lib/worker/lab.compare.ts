/** Two checkpoints side by side, and several in a row. */
import { dict } from '#lib/checkpoint/value.ts';
import { formatTitle } from '#lib/formats/folder.ts';
import { changesOf } from '#lib/inspect/compare/changes.ts';
import { compareTensors, type TensorPair } from '#lib/inspect/compare/compare_tensors.ts';
import { differingValues } from '#lib/inspect/compare/differing_values.ts';
import { differingFacts, type Compared } from '#lib/inspect/compare/facts.ts';
import { suggestPairs } from '#lib/inspect/compare/suggest.ts';
import { label } from '#lib/inspect/repr.ts';
import { bytesOf, openSide, pairSides, readablePairs, type OpenSide } from './compare_sides.ts';
import { compareSeries } from './compare_series.ts';
import { attempt, shown, type CallContext, type Handlers, type LabState } from './lab.state.ts';
import { paced } from './paced.ts';
import type {
  CompareArgs,
  CompareCalls,
  PairOutcome,
  PairedCheckpoints,
} from './protocol.compare.ts';
import { runCheckpoints } from './runs.ts';

export function compareHandlers(state: LabState): Handlers<keyof CompareCalls> {
  return {
    pairTensors: (args, { signal }) =>
      attempt(signal, async () => ({ paired: paired(state, args) })),
    compareCheckpoints: (args, context) =>
      attempt(context.signal, () => compareCheckpoints(state, args, context)),
    suggestPairs: (args, { signal, progress }) =>
      attempt(signal, async () => {
        const { a, b, pairing } = pairSides(state, args);
        const report = paced(progress);
        const suggestions = await suggestPairs(a.tensors, b.tensors, pairing, {
          signal,
          progress: (done, total) => report({ done, total }),
        });
        return { suggestions };
      }),
    tensorChanges: ({ a, b, pair, max }, { signal, progress }) =>
      attempt(signal, async () => {
        const one = openSide(state, a).tensors[pair[0]]!.tensor;
        const other = openSide(state, b).tensors[pair[1]]!.tensor;
        const tensors = [one, other] as const;
        const onBytes = counter(bytesOf([tensors]), progress);
        return { changes: await changesOf(tensors, max, { signal, onBytes }) };
      }),
    compareSeries: ({ members }, context) =>
      attempt(context.signal, async () => ({
        series: await compareSeries(state, members, context),
      })),
    runCheckpoints: ({ id }, { signal }) =>
      attempt(signal, async () => ({ files: await runCheckpoints(id) })),
  };
}

function paired(state: LabState, args: CompareArgs): PairedCheckpoints {
  const { a, b, rules, offered, choices, rows } = pairSides(state, args);
  const { listed, more } = differingValues(a.checkpoint.root, b.checkpoint.root);
  const [one, other] = [a.checkpoint.metadata, b.checkpoint.metadata].map((facts) =>
    dict(new Map(facts)),
  );
  return {
    ...{ rows, rules, offered, choices },
    facts: differingFacts(comparedOf(a), comparedOf(b)),
    values: listed,
    moreValues: more,
    metadata: differingValues(one!, other!).listed,
  };
}

function comparedOf({ checkpoint: { format, findings }, tensors }: OpenSide): Compared {
  return { format: formatTitle(format), findings: findings.map(shown), tensors };
}

async function compareCheckpoints(
  state: LabState,
  args: CompareCalls['compareCheckpoints']['args'],
  { signal, progress }: CallContext<'compareCheckpoints'>,
): Promise<{ bytes: number; seconds: number }> {
  const started = performance.now();
  const known = new Set(args.known);
  const pairs = readablePairs(pairSides(state, args)).filter(({ row }) => !known.has(row));
  const tensors = pairs.map((pair): TensorPair => pair.tensors);
  const total = bytesOf(tensors);
  let bytes = 0;
  let outcomes: [row: number, outcome: PairOutcome][] = [];
  const report = paced(() => {
    progress({ bytes, total, outcomes });
    outcomes = [];
  });
  const onBytes = (more: number) => {
    bytes += more;
    report(undefined);
  };
  let next = 0;
  for await (const outcome of compareTensors(tensors, { signal, onBytes })) {
    const { row } = pairs[next++]!;
    outcomes.push([row, outcome instanceof Error ? label(outcome.message) : outcome]);
    report(undefined);
  }
  report(undefined, true);
  return { bytes, seconds: (performance.now() - started) / 1000 };
}

/** Adds up bytes and reports them. */
function counter(
  total: number,
  progress: (progress: { bytes: number; total: number }) => void,
): (bytes: number) => void {
  const report = paced(progress);
  let bytes = 0;
  return (more) => report({ bytes: (bytes += more), total });
}

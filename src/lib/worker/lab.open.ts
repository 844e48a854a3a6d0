/** Opening, and looking into what is open. */
import { formatElement } from '#lib/checkpoint/elements.ts';
import { findOptimizer } from '#lib/checkpoint/optimizer.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { isTensor } from '#lib/checkpoint/value.ts';
import { findStateDicts } from '#lib/architecture/binding.ts';
import { findCarried } from '#lib/architecture/carried/open.ts';
import { blobSource } from '#lib/file/source.ts';
import { formatTitle } from '#lib/formats/folder.ts';
import { label, pythonKey } from '#lib/inspect/repr.ts';
import { useInOutbox } from '#lib/storage/opfs.ts';
import { describeStateDict } from './describe_state_dict.ts';
import { factsOf } from './facts.ts';
import { attempt, shown, type CallContext, type Handlers, type LabState } from './lab.state.ts';
import { openDropped } from './opening.ts';
import { Outline } from './outline.ts';
import type { Dropped, OpenCalls, OpenedCheckpoint } from './protocol.open.ts';
import { verifyCheckpoint } from './verify.ts';

export function openHandlers(state: LabState): Handlers<keyof OpenCalls> {
  return {
    open: (dropped, context) =>
      attempt(context.signal, async () => ({ checkpoint: await open(state, dropped, context) })),
    close: () => {
      giveWay(state);
      return null;
    },
    children: ({ node, start, count }) => state.need().outline.children(node, start, count),
    values: ({ node, count }, { signal }) =>
      attempt(signal, async () => ({ values: await valuesOf(state, node, count, signal) })),
    verify: (_, context) =>
      attempt(context.signal, async () => ({
        verified: await verifyCheckpoint(state.need().checkpoint, context),
      })),
  };
}

async function open(
  state: LabState,
  dropped: Dropped,
  context: CallContext<'open'>,
): Promise<OpenedCheckpoint> {
  const checkpoint = await openDropped(dropped, context);
  const file = 'file' in dropped ? dropped.file : dropped.files[0]!.file;
  const stateDicts = findStateDicts(checkpoint.root);
  const carried = findCarried(checkpoint, stateDicts);
  const outline = new Outline(checkpoint.root, stateDicts[0]?.dict);
  useInOutbox(file.name);
  giveWay(state);
  state.opened = { checkpoint, source: blobSource(file), outline, stateDicts, carried };
  const optimizer = findOptimizer(checkpoint.root);
  return {
    name: checkpoint.name,
    size: checkpoint.size,
    format: formatTitle(checkpoint.format),
    calls: checkpoint.calls.map((call) => ({ ...call, name: label(call.name) })),
    findings: checkpoint.findings.map(shown),
    root: outline.root,
    totals: outline.totals,
    facts: factsOf(checkpoint),
    stateDicts: stateDicts.map(describeStateDict),
    optimizer: optimizer && {
      label: `[${pythonKey(optimizer.key)}]`,
      groups: optimizer.optimizer.groups.length,
      states: optimizer.optimizer.states.size,
    },
    carried: carried && {
      kind: carried.kind,
      classes: carried.classes.map(label),
      hasSource: carried.sources.length > 0,
    },
  };
}

/** What is open is let go, and what was made of it. */
function giveWay(state: LabState): void {
  void state.bench?.dispose();
  state.bench = null;
  state.tokenizer = null;
  state.opened = null;
}

async function valuesOf(
  state: LabState,
  node: number,
  count: number,
  signal: AbortSignal,
): Promise<string[]> {
  const value = state.need().outline.value(node);
  if (!isTensor(value)) throw new Error('values: this row is no tensor');
  const first = firstElements(value.shape, count);
  const bytes = await readTensor({ ...value, shape: first }, signal);
  return Array.from({ length: Math.min(count, numel(first)) }, (_, index) =>
    formatElement(bytes, value.dtype, index),
  );
}

/** A leading part of a tensor with about `count` elements, as a shape of the same rank. */
function firstElements(shape: readonly number[], count: number): number[] {
  let left = count;
  return shape
    .toReversed()
    .map((size) => {
      const taken = Math.min(size, Math.max(1, left));
      left = size === 0 ? 0 : Math.ceil(left / size);
      return taken;
    })
    .toReversed();
}

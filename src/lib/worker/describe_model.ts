/** A model on the bench as the page is told of it. */
import { headOf } from '#lib/architecture/head.ts';
import type { SavedOptimizer } from '#lib/checkpoint/optimizer.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import type { BuiltModel, WeightRow } from './protocol.model.ts';
import type { Workbench } from './workbench.ts';

export function describeModel(bench: Workbench): BuiltModel {
  const { binding, module, edits, task } = bench;
  const shape = (sizes: readonly number[]) => `[${sizes.join(', ')}]`;
  const { found, note } = bench.savedOptimizer();
  const [input] = task.inputs;
  const isPlain = task.inputs.length === 1 && input!.dtype === 'float32' && input!.shape.length > 1;
  const head = headOf(module, bench.trial ?? undefined);
  return {
    name: module.name,
    parameters: module.state
      .filter(({ kind, tiedTo }) => kind === 'parameter' && tiedTo === undefined)
      .reduce((sum, spec) => sum + numel(spec.shape), 0),
    inputs: [...module.inputs],
    exampleShape: isPlain ? input!.shape.slice(1) : null,
    task,
    report: {
      matched: binding.matched.size,
      missing: [...binding.missing],
      unexpected: [...binding.unexpected],
      mismatched: binding.mismatched.map(({ key, checkpoint, model }) => ({
        key,
        inFile: shape(checkpoint),
        inModel: shape(model),
      })),
      stripped: [...binding.stripped],
      fresh: bench.fresh.map((weight) => ({ ...weight })),
      notes: [...binding.notes, ...bench.edited.notes].map(({ message }) => message),
    },
    ready: bench.isReady,
    optimizer: found && {
      name: found.name,
      states: found.saved.states.size,
      learningRate: optionOf(found.saved, 'lr'),
      weightDecay: optionOf(found.saved, 'weight_decay'),
    },
    optimizerNote: note,
    weights: weightRows(bench),
    head: head && { ...head },
    linears: linearsOf(bench),
    edits,
    warnings: [...bench.warnings],
  };
}

/** Buffers that BatchNorm and its kind move in training. */
const MOVED = /(^|\.)(running_mean|running_var|num_batches_tracked)$/;

function weightRows({ module, binding, fresh }: Workbench): WeightRow[] {
  const isFresh = new Set(fresh.map(({ key }) => key));
  return module.state.flatMap(({ key, kind, shape, tiedTo, requiresGrad }) => {
    if (kind === 'constant' || tiedTo !== undefined) return [];
    const from = isFresh.has(key) ? 'fresh' : binding.matched.has(key) ? 'file' : 'missing';
    const trained = kind === 'parameter' ? requiresGrad : MOVED.test(key);
    return [{ key, kind, shape: [...shape], trained, from }];
  });
}

/** Linear layers by themselves: MultiheadAttention reads the weights of its own. */
function linearsOf({ module, edits }: Workbench): string[] {
  const types = new Map(module.modules.map(({ path, type }) => [path, type]));
  const above = (path: string) => types.get(path.slice(0, Math.max(0, path.lastIndexOf('.'))));
  return module.modules
    .filter(({ type, path }) => {
      if (path === edits.head?.module || /(^|\.)(base_layer|lora_[AB]\b.*)$/.test(path))
        return false;
      return /(^|[a-z])Linear$|^Conv1D$/.test(type) && above(path) !== 'MultiheadAttention';
    })
    .map(({ path }) => path);
}

function optionOf({ groups }: SavedOptimizer, key: string): number | undefined {
  const value = groups[0]?.options.get(key);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}

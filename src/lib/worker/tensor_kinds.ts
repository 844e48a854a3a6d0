/** The kinds of modules of the table's tensors: those of the model that is built, others guessed. */
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor } from '#lib/checkpoint/value.ts';
import { moduleKinds, split } from '#lib/inspect/module_kinds.ts';
import { numbered } from './numbered.ts';
import type { TensorKinds } from './protocol.table.ts';
import type { Table } from './table.ts';
import type { Workbench } from './workbench.ts';

type Bound = Pick<Workbench, 'module' | 'binding' | 'stateDict'>;

export function tensorKinds(
  { rows, owners }: Pick<Table, 'rows' | 'owners'>,
  bench: Bound | null,
): TensorKinds {
  const types = bench ? typesOf(bench) : new Map<Tensor, string>();
  const guesses = moduleKinds(rows.map(({ name, tensor }) => ({ name, shape: tensor.shape })));
  let [known, guessed] = [0, 0];
  const { values, numbers } = numbered(
    rows.map(({ tensor }, at) => {
      if (owners[at] !== null) return 'Optimizer state';
      const type = types.get(tensor);
      if (type === undefined) guessed++;
      else known++;
      return type ?? guesses[at] ?? 'Other';
    }),
  );
  const model = bench && known > 0 ? bench.module.name : null;
  return { kinds: values, kind: Uint16Array.from(numbers), model, guessed };
}

/** The class of the module that each tensor of a state_dict went to, where the model says it. */
function typesOf({ module, binding, stateDict }: Bound): Map<Tensor, string> {
  const types = new Map(module.modules.map(({ path, type }) => [path, type]));
  const found = new Map<Tensor, string>();
  for (const [key, { fileKey }] of binding.matched) {
    const tensor = stateDict.dict.get(fileKey);
    let path = split(key).module;
    // A parameter's own name may have dots, as in a ParameterDict.
    while (path !== '' && !types.has(path)) path = split(path).module;
    const type = types.get(path);
    if (isTensor(tensor) && type) found.set(tensor, type);
  }
  return found;
}

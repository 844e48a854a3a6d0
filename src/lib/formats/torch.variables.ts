/**
 * Parameters and variables as PyTorch pickled them before 0.4: an instance of the class, made of its
 * data or of nothing, and a state (torch/_tensor.py, `Tensor.__setstate__`): `(requires_grad,
 * volatile, hooks)`, or `(data, grad, hooks, requires_grad, volatile)` of the first versions.
 */
import { isTensor, type Call, type Value } from '#lib/checkpoint/value.ts';
import { argsOf, type Meaning } from './builtins.ts';
import { isFilled } from './torch.tensors.ts';
import { isGlobal } from './torch.storages.ts';

const PARAMETER = 'torch.nn.parameter.Parameter';
const VARIABLE = 'torch.autograd.variable.Variable';

export const variableMeanings: readonly [string, Meaning][] = [
  [PARAMETER, (call) => rebuild(call, true)],
  [VARIABLE, (call) => rebuild(call, false)],
];

/** Whether a call makes one of them, so that its state is what it was made of. */
export function isVariable(callable: Value): boolean {
  if (!isGlobal(callable)) return false;
  const name = `${callable.module}.${callable.name}`;
  return name === PARAMETER || name === VARIABLE;
}

function rebuild(call: Call, parameter: boolean): Value | undefined {
  const { state } = call;
  const [made, wanted = parameter] = argsOf(call);
  const items = typeof state === 'object' && state?.kind === 'tuple' ? state.items : [];
  if (state !== undefined && items.length !== 3 && items.length !== 5) return undefined;
  const [data, grad, hooks, requiresGrad] =
    items.length === 5 ? items : [made, null, items[2], items[0] ?? wanted];
  // Hooks are code, and a gradient has no place in a tensor: such a variable stays a call.
  if (!isTensor(data) || isFilled(hooks) || isFilled(grad)) return undefined;
  if (typeof requiresGrad !== 'boolean' || call.entries) return undefined;
  return { ...data, parameter, requiresGrad };
}

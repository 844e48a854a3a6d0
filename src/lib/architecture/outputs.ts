/** What forward returns, as a flat list of tensors with names: a tensor alone, or any nesting. */
import { PyInstance } from './python/classes.ts';
import { PyDict, PyList, PyTuple } from './python/collections.ts';
import { raised, Refusal, unsupported } from './python/errors.ts';
import { typeName, type PyValue } from './python/object.ts';
import { isModule } from './torch/module.ts';
import { PyTensor } from './torch/tensor.ts';

/** One tensor of the result, by the way to it: `logits`, `1.0` for (y, (h, c))'s h. */
export interface NamedOutput {
  readonly name: string;
  readonly tensor: PyTensor;
}

/** Name of a result that is one tensor. */
const single = 'output';

/** Nesting of results; a list that holds itself would have no end. */
const maxDepth = 16;

/**
 * The tensors in tuples, lists, dicts and dataclasses, in their order. None is left out, as optional
 * parts of a result are None where they are not asked for.
 */
export function outputsOf(result: PyValue): NamedOutput[] {
  const outputs = flatten(result, []);
  if (outputs.length > 0) return outputs;
  throw unsupported(`forward returns a ${typeName(result)}, tensors are needed`);
}

function flatten(value: PyValue, path: readonly string[]): NamedOutput[] {
  if (value === null) return [];
  if (value instanceof PyTensor) return [{ name: path.join('.') || single, tensor: value }];
  if (path.length >= maxDepth) {
    throw new Refusal('python-budget', `forward returns a nesting deeper than ${maxDepth}`);
  }
  const parts = partsOf(value);
  if (parts) return parts.flatMap(([name, part]) => flatten(part, [...path, name]));
  const where = path.length > 0 ? ` at ${path.join('.')}` : '';
  throw unsupported(`forward returns a ${typeName(value)}${where}, tensors are needed`);
}

function partsOf(value: PyValue): (readonly [string, PyValue])[] | undefined {
  if (value instanceof PyTuple || value instanceof PyList) {
    return value.items.map((item, index) => [String(index), item]);
  }
  if (value instanceof PyDict) {
    return value.entries().map(([key, item]) => {
      if (typeof key === 'string' || typeof key === 'bigint') return [String(key), item];
      throw raised('TypeError', `forward returns a dict with a ${typeName(key)} as a key`);
    });
  }
  if (!(value instanceof PyInstance)) return undefined;
  const fields = isModule(value) ? [] : fieldsOf(value);
  if (fields.length === 0) return undefined;
  return fields.map((name) => [name, value.attributes.get(name) ?? null]);
}

/** The annotated names of a class, which make a dataclass's fields. */
function fieldsOf(value: PyInstance): string[] {
  const names = value.class.mro.toReversed().flatMap(({ annotations }) => [...annotations.keys()]);
  return [...new Set(names)];
}

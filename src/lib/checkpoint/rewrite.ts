import type { SparseTensor, Tensor } from './tensor.ts';
import { Dict, type Call, type ObjectValue, type Value } from './value.ts';

export interface Rewriting {
  /** Replaces an object before its parts are visited; the parts of what it returns are. */
  before?(value: ObjectValue): Value;
  /** Replaces an object after its parts were rewritten. */
  after?(value: ObjectValue): Value;
}

/**
 * Copies a graph of values, replacing objects on the way. What was shared stays shared, in the
 * copy too; cycles are kept (inside of a cycle, an object that is still being rewritten stands for
 * itself, without `after`). Keeps its own stack, so depth is no limit; visits in the order in which
 * Python would pickle. The input is not changed; bytes, and tensors that hold no other values, are
 * not copied.
 */
export function rewrite(root: Value, { before, after }: Rewriting): Value {
  const done = new Map<ObjectValue, Value>();
  /** Objects that are being copied, the innermost last, each waiting for its next part. */
  const open: { key: ObjectValue; copy: ObjectValue; filling: Filling }[] = [];
  /** The part that was rewritten last; the whole at the end. */
  let latest: Value = null;

  /** Rewrites a value, or opens it where its parts come first. */
  const visit = (value: Value): void => {
    latest = value;
    if (value === null || typeof value !== 'object') return;
    const known = done.get(value);
    if (known !== undefined) {
      latest = known;
      return;
    }
    const replaced = before ? before(value) : value;
    done.set(value, replaced);
    latest = replaced;
    if (replaced === null || typeof replaced !== 'object') return;
    const copy = emptyCopy(replaced);
    done.set(value, copy);
    open.push({ key: value, copy, filling: fill(replaced, copy) });
  };

  visit(root);
  while (open.length > 0) {
    const { key, copy, filling } = open.at(-1)!;
    const part = filling.next(latest);
    if (!part.done) {
      visit(part.value);
      continue;
    }
    latest = after ? after(copy) : copy;
    done.set(key, latest);
    open.pop();
  }
  return latest;
}

/** Gives the parts of an object one by one, takes back what became of each. */
type Filling = Generator<Value, void, Value>;

function emptyCopy(value: ObjectValue): ObjectValue {
  switch (value.kind) {
    case 'list':
    case 'tuple':
    case 'set':
      return { ...value, items: [] };
    case 'dict':
      return new Dict([], value.type);
    case 'call':
      return {
        ...value,
        ...(value.appended && { appended: [] }),
        ...(value.entries && { entries: [] }),
      };
    case 'persistent':
      return { ...value };
    case 'tensor':
      return value.quantization || value.state !== undefined ? { ...value } : value;
    case 'sparse':
      return { ...value, parts: [] };
    case 'bytes':
    case 'complex':
    case 'global':
      return value;
    default:
      return value satisfies never;
  }
}

/** Fills the empty copy of `value` in the order of a pickle. */
function* fill(value: ObjectValue, copy: ObjectValue): Filling {
  switch (value.kind) {
    case 'list':
    case 'tuple':
    case 'set': {
      const { items } = copy as typeof value;
      for (const item of value.items) items.push(yield item);
      return;
    }
    case 'dict': {
      const dict = copy as Dict;
      for (const [key, item] of value.entries()) dict.set(yield key, yield item);
      dict.attributes = yield value.attributes;
      return;
    }
    case 'call': {
      const call = copy as { -readonly [K in keyof Call]: Call[K] };
      call.callable = yield value.callable;
      call.args = yield value.args;
      for (const item of value.appended ?? []) call.appended!.push(yield item);
      for (const [key, item] of value.entries ?? []) call.entries!.push([yield key, yield item]);
      if (value.state !== undefined) call.state = yield value.state;
      return;
    }
    case 'persistent':
      (copy as typeof value).id = yield value.id;
      return;
    case 'tensor': {
      const tensor = copy as { -readonly [K in keyof Tensor]: Tensor[K] };
      const { quantization, state } = value;
      if (quantization && 'axis' in quantization) {
        const scales = (yield quantization.scales) as Tensor;
        const zeroPoints = (yield quantization.zeroPoints) as Tensor;
        tensor.quantization = { ...quantization, scales, zeroPoints };
      }
      if (state !== undefined) tensor.state = yield state;
      return;
    }
    case 'sparse': {
      const parts = (copy as SparseTensor).parts as [string, Tensor][];
      for (const [name, part] of value.parts) parts.push([name, (yield part) as Tensor]);
      return;
    }
    case 'bytes':
    case 'complex':
    case 'global':
      return;
    default:
      value satisfies never;
  }
}

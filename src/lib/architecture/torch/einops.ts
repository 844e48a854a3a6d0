/**
 * `einops`: `rearrange`, `repeat` and `reduce`, as functions and as layers. A pattern is worked out
 * here; what it comes to is asked of the tensor itself: reshape, permute, expand, and a reduction.
 * Every axis of the pattern becomes an axis of the tensor first, and is joined with others last.
 */
import { getAttribute } from '../python/attributes.ts';
import { PyClass } from '../python/classes.ts';
import { PyDict, PyList, PyTuple } from '../python/collections.ts';
import { raised, unsupported } from '../python/errors.ts';
import { call, NativeFunction } from '../python/functions.ts';
import type { Interpreter } from '../python/interpreter.ts';
import { library, type PyModule } from '../python/modules.ts';
import { noArguments, type PyValue } from '../python/object.ts';
import { index } from '../python/operators.ts';
import type { Bound } from '../python/signature.ts';
import { initializeModule, isModule } from './module.ts';
import { PyTensor, shapeText } from './tensor.ts';

/** The longest pattern; real ones have some dozen characters. */
const maxPattern = 1000;

/** Each group is one axis of the tensor, made of the axes of the pattern that are named in it. */
type Side = readonly (readonly string[])[];

type Reduction = 'rearrange' | 'repeat' | 'mean' | 'sum' | 'max' | 'min' | 'prod';
const reductions: ReadonlySet<string> = new Set(['mean', 'sum', 'max', 'min', 'prod']);

/** `b (h p1) 1 ...` → [[b], [h, p1], [], [...]]. */
function parseSide(text: string, pattern: string): Side {
  const groups: string[][] = [];
  let open: string[] | null = null;
  for (const token of text.match(/\.\.\.|…|[()]|[^\s()]+/g) ?? []) {
    if (token === '(') {
      if (open) throw raised('ValueError', `einops: nested parentheses in "${pattern}"`);
      groups.push((open = []));
    } else if (token === ')') {
      if (!open) throw raised('ValueError', `einops: an unmatched parenthesis in "${pattern}"`);
      open = null;
    } else if (token === '1') {
      if (!open) groups.push([]);
    } else if (token === '...' || /^[A-Za-z_]\w*$/.test(token)) {
      if (open) open.push(token);
      else groups.push([token]);
    } else {
      throw raised('ValueError', `einops: "${token}" is no axis, in "${pattern}"`);
    }
  }
  if (open) throw raised('ValueError', `einops: an unmatched parenthesis in "${pattern}"`);
  const names = groups.flat();
  if (new Set(names).size < names.length) {
    throw raised('ValueError', `einops: an axis is named twice on one side of "${pattern}"`);
  }
  return groups;
}

/** Gives the axes behind `...` names that no pattern has. */
function spread(side: Side, count: number): Side {
  const hidden = Array.from({ length: count }, (_, at) => `...${at}`);
  return side.flatMap((group) => {
    if (!group.includes('...')) return [group];
    if (group.length === 1) return hidden.map((name) => [name]);
    return [group.flatMap((name) => (name === '...' ? hidden : [name]))];
  });
}

interface Plan {
  readonly left: Side;
  readonly right: Side;
  readonly sizes: ReadonlyMap<string, number>;
}

/** Works out the size of every axis. */
function plan(pattern: string, shape: readonly number[], given: ReadonlyMap<string, number>): Plan {
  if (pattern.length > maxPattern) throw raised('ValueError', 'einops: the pattern is too long');
  const [before, after, ...more] = pattern.split('->');
  if (before === undefined || after === undefined || more.length > 0) {
    throw raised('ValueError', `einops: "${pattern}" needs one arrow`);
  }
  const parsed = parseSide(before, pattern);
  const hidden = parsed.some((group) => group.includes('...'))
    ? shape.length - parsed.length + 1
    : 0;
  if (parsed.flat().includes('...') && !parsed.some((group) => group.join() === '...')) {
    throw unsupported('einops: "..." in parentheses on the left is not supported');
  }
  const left = spread(parsed, Math.max(0, hidden));
  const right = spread(parseSide(after, pattern), Math.max(0, hidden));
  if (left.length !== shape.length) {
    throw raised(
      'ValueError',
      `einops: "${pattern}" does not fit a tensor of shape ${shapeText(shape)}`,
    );
  }
  const sizes = new Map(given);
  for (const [at, group] of left.entries()) {
    const size = shape[at]!;
    const open = group.filter((name) => !sizes.has(name));
    const known = group.reduce((product, name) => product * (sizes.get(name) ?? 1), 1);
    const isWhole = open.length === 0 ? known === size : known > 0 && size % known === 0;
    if (open.length > 1 || !isWhole) {
      const wanted = `(${group.join(' ')})`;
      throw raised(
        'ValueError',
        `einops: axis ${at} of size ${size} does not split into ${wanted}`,
      );
    }
    if (open[0] !== undefined) sizes.set(open[0], size / known);
  }
  return { left, right, sizes };
}

function method(
  interpreter: Interpreter,
  tensor: PyValue,
  name: string,
  positional: PyValue[],
  keywords: readonly [string, PyValue][] = [],
): PyValue {
  const callee = getAttribute(interpreter, tensor, name);
  return call(interpreter, callee, { positional, keywords: new Map(keywords) });
}

const ints = (values: readonly number[]): PyTuple => new PyTuple(values.map(BigInt));

function transform(
  interpreter: Interpreter,
  tensor: PyTensor,
  pattern: string,
  given: ReadonlyMap<string, number>,
  how: Reduction,
): PyValue {
  const { left, right, sizes } = plan(pattern, tensor.shape, given);
  const [from, to] = [left.flat(), right.flat()];
  const gone = from.filter((name) => !to.includes(name));
  const fresh = to.filter((name) => !from.includes(name));
  if (gone.length > 0 && (how === 'rearrange' || how === 'repeat')) {
    throw raised('ValueError', `einops: the axis "${gone[0]}" is only on the left of "${pattern}"`);
  }
  if (fresh.length > 0 && how !== 'repeat') {
    throw raised(
      'ValueError',
      `einops: the axis "${fresh[0]}" is only on the right of "${pattern}"`,
    );
  }
  const unused = [...given.keys()].find((name) => !from.includes(name) && !to.includes(name));
  if (unused !== undefined) {
    throw raised('ValueError', `einops: the axis "${unused}" is not in "${pattern}"`);
  }
  const size = (name: string): number => {
    const found = sizes.get(name);
    if (found === undefined)
      throw raised('ValueError', `einops: the size of "${name}" is not given`);
    return found;
  };
  let value: PyValue = tensor;
  let shape: readonly number[] = tensor.shape;
  const reshape = (next: readonly number[]): void => {
    if (next.join() !== shape.join()) value = method(interpreter, value, 'reshape', [ints(next)]);
    shape = next;
  };
  reshape(from.map(size));
  const kept = to.filter((name) => from.includes(name));
  const order = [...kept, ...gone].map((name) => from.indexOf(name));
  if (order.some((axis, at) => axis !== at)) {
    value = method(interpreter, value, 'permute', [ints(order)]);
    shape = order.map((axis) => shape[axis]!);
  }
  if (gone.length > 0) {
    const dims = ints(gone.map((_, at) => kept.length + at));
    value = reduced(interpreter, value, how, dims);
    shape = kept.map(size);
  }
  if (fresh.length > 0) {
    reshape(to.map((name) => (fresh.includes(name) ? 1 : size(name))));
    value = method(interpreter, value, 'expand', [ints(to.map(size))]);
    shape = to.map(size);
  }
  reshape(right.map((group) => group.reduce((product, name) => product * size(name), 1)));
  return value;
}

function reduced(interpreter: Interpreter, value: PyValue, how: Reduction, dims: PyTuple): PyValue {
  if (how !== 'prod') {
    const name = { max: 'amax', min: 'amin', mean: 'mean', sum: 'sum' }[how as 'max'];
    return method(interpreter, value, name, [dims]);
  }
  // From the last axis on, so that the others keep their places.
  return dims.items
    .toReversed()
    .reduce((tensor, dim) => method(interpreter, tensor, 'prod', [dim]), value);
}

function axesOf(keywords: Iterable<readonly [PyValue, PyValue]>): Map<string, number> {
  return new Map(
    [...keywords].map(([name, value]) => [String(name), index(value, `einops: ${String(name)}`)]),
  );
}

function text(value: PyValue, what: string): string {
  if (typeof value === 'string') return value;
  throw raised('TypeError', `einops: the ${what} must be a str`);
}

function howOf(value: PyValue): Reduction {
  const name = text(value, 'reduction');
  if (!reductions.has(name)) throw unsupported(`einops: the reduction "${name}" is not supported`);
  return name as Reduction;
}

/** A tensor, or tensors that are stacked first. */
function operand(interpreter: Interpreter, value: PyValue, torch: PyModule): PyTensor {
  const stacked =
    value instanceof PyList || value instanceof PyTuple
      ? call(interpreter, getAttribute(interpreter, torch, 'stack'), {
          ...noArguments,
          positional: [value],
        })
      : value;
  if (stacked instanceof PyTensor) return stacked;
  throw raised('TypeError', 'einops: a tensor is needed');
}

/** `einops`, `einops.layers` and `einops.layers.torch` of one run. */
export function einops(module: PyClass, torch: PyModule): Map<string, PyValue> {
  const of = (how: 'rearrange' | 'repeat') =>
    [
      'tensor, pattern, /, **axes',
      (interpreter: Interpreter, bound: Bound) => {
        const { values } = bound;
        const tensor = operand(interpreter, values.get('tensor')!, torch);
        const pattern = text(values.get('pattern')!, 'pattern');
        return transform(interpreter, tensor, pattern, axesOf(bound.keywords), how);
      },
    ] as const;
  const main = library('einops', {
    rearrange: of('rearrange'),
    repeat: of('repeat'),
    reduce: [
      'tensor, pattern, reduction, /, **axes',
      (interpreter, bound) => {
        const { values } = bound;
        const tensor = operand(interpreter, values.get('tensor')!, torch);
        const pattern = text(values.get('pattern')!, 'pattern');
        return transform(
          interpreter,
          tensor,
          pattern,
          axesOf(bound.keywords),
          howOf(values.get('reduction')!),
        );
      },
    ],
  });
  const layers = library('einops.layers.torch', {}, [
    ['Rearrange', layer('Rearrange', module, false)],
    ['Reduce', layer('Reduce', module, true)],
  ]);
  const folder = library('einops.layers', {}, [['torch', layers]]);
  main.names.set('layers', folder);
  return new Map([main, folder, layers].map((item) => [item.name, item]));
}

/** A layer that keeps its pattern and applies it. */
function layer(name: string, module: PyClass, reduces: boolean): PyClass {
  const signature = reduces ? 'self, pattern, reduction, **axes' : 'self, pattern, **axes';
  const initialize = new NativeFunction(name, signature, (_, bound) => {
    const self = bound.values.get('self')!;
    if (!isModule(self)) throw raised('TypeError', `${name} needs an instance`);
    initializeModule(self);
    self.attributes.set('pattern', text(bound.values.get('pattern')!, 'pattern'));
    self.attributes.set('axes_lengths', new PyDict(bound.keywords));
    if (reduces) self.attributes.set('reduction', howOf(bound.values.get('reduction')!));
    return null;
  });
  const forward = new NativeFunction('forward', 'self, input', (interpreter, { values }) => {
    const self = values.get('self')!;
    const input = values.get('input')!;
    if (!isModule(self) || !(input instanceof PyTensor)) {
      throw raised('TypeError', `${name} needs a tensor`);
    }
    const axes = self.attributes.get('axes_lengths');
    const pattern = text(self.attributes.get('pattern') ?? null, 'pattern');
    const how = reduces ? howOf(self.attributes.get('reduction') ?? null) : 'rearrange';
    return transform(
      interpreter,
      input,
      pattern,
      axesOf(axes instanceof PyDict ? axes.entries() : []),
      how,
    );
  });
  const attributes = new Map<string, PyValue>([
    ['__init__', initialize],
    ['forward', forward],
  ]);
  return new PyClass(name, [module], { attributes });
}

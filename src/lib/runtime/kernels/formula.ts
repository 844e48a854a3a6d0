/**
 * Elementwise formulas over tensors of one shape and a few numbers, written once: on WebGPU each
 * result is one kernel, elsewhere the same of tfjs's ops. The numbers are scalars on the backend,
 * so what is computed has the same structure whatever they are. No gradients.
 */
import { dispatchPointwise, inputNames } from './pointwise.ts';
import * as tf from '../tf.ts';

const ops = {
  add: { code: (a, b) => `${a} + ${b}`, tensor: (a, b) => tf.add(a, b) },
  sub: { code: (a, b) => `${a} - ${b}`, tensor: (a, b) => tf.sub(a, b) },
  mul: { code: (a, b) => `${a} * ${b}`, tensor: (a, b) => tf.mul(a, b) },
  div: { code: (a, b) => `${a} / ${b}`, tensor: (a, b) => tf.div(a, b) },
  maximum: { code: (a, b) => `max(${a}, ${b})`, tensor: (a, b) => tf.maximum(a, b) },
  minimum: { code: (a, b) => `min(${a}, ${b})`, tensor: (a, b) => tf.minimum(a, b) },
  neg: { code: (a) => `-${a}`, tensor: (a) => tf.neg(a) },
  abs: { code: (a) => `abs(${a})`, tensor: (a) => tf.abs(a) },
  sqrt: { code: (a) => `sqrt(${a})`, tensor: (a) => tf.sqrt(a) },
  square: { code: (a) => `${a} * ${a}`, tensor: (a) => tf.square(a) },
  // By its bits: WGSL may take every number for a finite one.
  nonFinite: {
    code: (a) => `select(0.0, 1.0, (bitcast<u32>(${a}) & 0x7f800000u) == 0x7f800000u)`,
    tensor: (a) => tf.sub(1, tf.cast(tf.isFinite(a), 'float32')),
  },
} satisfies Record<string, Op>;

interface Op {
  code(a: string, b: string): string;
  tensor(a: tf.Tensor, b: tf.Tensor): tf.Tensor;
}

/** An element of a tensor, a number, or what is computed of them. */
export type Term =
  | { readonly kind: 'element'; readonly tensor: tf.Tensor }
  | { readonly kind: 'number'; readonly index: number }
  | Operation;

interface Operation {
  readonly kind: 'op';
  readonly op: keyof typeof ops;
  readonly of: readonly Term[];
}

const op = (name: keyof typeof ops, ...of: Term[]): Operation => ({ kind: 'op', op: name, of });
export const add = (a: Term, b: Term) => op('add', a, b);
export const sub = (a: Term, b: Term) => op('sub', a, b);
export const mul = (a: Term, b: Term) => op('mul', a, b);
export const div = (a: Term, b: Term) => op('div', a, b);
export const maximum = (a: Term, b: Term) => op('maximum', a, b);
export const minimum = (a: Term, b: Term) => op('minimum', a, b);
export const neg = (a: Term) => op('neg', a);
export const abs = (a: Term) => op('abs', a);
export const sqrt = (a: Term) => op('sqrt', a);
export const square = (a: Term) => op('square', a);
/** 1 for inf and NaN, else 0. */
export const nonFinite = (a: Term) => op('nonFinite', a);
/** a + (b − a) · weight, as torch.lerp below a weight of one half. */
export const lerp = (a: Term, b: Term, weight: Term) => add(a, mul(sub(b, a), weight));

export const element = (tensor: tf.Tensor): Term => ({ kind: 'element', tensor });

/** Numbers on the backend, as float32: one small buffer on WebGPU, else a scalar for each. */
export class Numbers<Name extends string = string> {
  readonly terms: Readonly<Record<Name, Term>>;
  readonly #tensors: readonly tf.Tensor[];

  constructor(values: Readonly<Record<Name, number>>) {
    const entries = Object.entries<number>(values);
    const terms = entries.map(([name], index) => [name, { kind: 'number', index }]);
    this.terms = Object.fromEntries(terms) as Record<Name, Term>;
    const list = entries.map(([, value]) => value);
    this.#tensors =
      tf.getBackend() === 'webgpu'
        ? [tf.tensor1d(list, 'float32')]
        : list.map((value) => tf.scalar(value, 'float32'));
  }

  /** Computes the terms in their order; a later one takes an earlier one as it came out. */
  compute(terms: Readonly<Partial<Record<string, Term>>>): Record<string, tf.Tensor> {
    const known = new Map<Term, tf.Tensor>();
    const results: Record<string, tf.Tensor> = {};
    for (const [name, term] of Object.entries(terms)) {
      if (!term) continue;
      const result =
        tf.getBackend() === 'webgpu' ? this.#run(term, known) : this.#twin(term, known);
      known.set(term, result);
      results[name] = result;
    }
    return results;
  }

  /** One kernel of all that the term is made of. */
  #run(term: Term, known: ReadonlyMap<Term, tf.Tensor>): tf.Tensor {
    const inputs: tf.Tensor[] = [];
    const names = new Map<Term | tf.Tensor, string>();
    const lines: string[] = [];
    let usesNumbers = false; // WebGPU refuses a buffer that the code has no use for
    const write = (it: Term): string => {
      if (it.kind === 'number') {
        usesNumbers = true;
        return `numbers[${it.index}]`;
      }
      const tensor = it.kind === 'element' ? it.tensor : known.get(it);
      let name = names.get(tensor ?? it);
      if (name !== undefined) return name;
      if (tensor) {
        name = inputNames[inputs.push(tensor) - 1]!;
      } else {
        const { op, of } = it as Operation;
        const [a, b] = of.map(write);
        name = `t${lines.length}`;
        lines.push(`let ${name} = ${ops[op].code(a!, b!)};`);
      }
      names.set(tensor ?? it, name);
      return name;
    };
    lines.push(`return ${write(term)};`);
    const code = lines.join('\n');
    return dispatchPointwise(
      { name: code, code },
      inputs,
      usesNumbers ? this.#tensors[0] : undefined,
    );
  }

  /** The same, op by op. */
  #twin(term: Term, known: Map<Term, tf.Tensor>): tf.Tensor {
    if (term.kind === 'element') return term.tensor;
    if (term.kind === 'number') return this.#tensors[term.index]!;
    let result = known.get(term);
    if (!result) {
      const [a, b] = term.of.map((it) => this.#twin(it, known));
      result = ops[term.op].tensor(a!, b!);
      known.set(term, result);
    }
    return result;
  }

  dispose(): void {
    tf.dispose([...this.#tensors]);
  }
}

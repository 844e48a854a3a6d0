/**
 * torch.einsum. Whatever form an equation has, the graph gets the explicit one: an ellipsis becomes
 * letters of its own, an implicit result is written out, a letter that stands twice in one operand
 * is its diagonal, and axes of size 1 are expanded.
 */
import { numel } from '#lib/checkpoint/tensor.ts';
import { raised } from '../../python/errors.ts';
import { emit } from '../emit.ts';
import { shapeText, type PyTensor } from '../tensor.ts';
import { demandFactors } from './matrix.ts';
import { diagonal, expand } from './shape.ts';

/** In PyTorch's order, which an implicit result follows. */
const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];

interface Term {
  readonly tensor: PyTensor;
  readonly letters: readonly string[];
}

export function einsum(equation: string, tensors: readonly PyTensor[]): PyTensor {
  const problem = (why: string): Error => raised('RuntimeError', `einsum "${equation}": ${why}`);
  const sides = equation.replaceAll(' ', '').split('->');
  const texts = sides[0]!.split(',');
  if (sides.length > 2) throw problem('more than one arrow');
  if (texts.length !== tensors.length || tensors.length === 0) {
    throw problem(`${texts.length} operands in the equation, ${tensors.length} tensors`);
  }
  const given = [...texts, sides[1] ?? ''].map((text) => tokens(text, problem));
  const hidden = ellipsisLetters(given.slice(0, -1), tensors);
  const spelled = tensors.map((tensor, at) => {
    const letters = spell(given[at]!, tensor.shape.length, hidden);
    if (letters.length === tensor.shape.length) return diagonals({ tensor, letters });
    throw problem(`operand ${at} has shape ${shapeText(tensor.shape)}`);
  });
  const sizes = sizesOf(spelled, problem);
  const terms = spelled.map((term) => expanded(term, sizes));
  const result =
    sides.length === 2
      ? spell(given.at(-1)!, Infinity, hidden)
      : [...hidden, ...implicitResult(given.slice(0, -1))];
  const isTwice = new Set(result).size !== result.length;
  if (isTwice || result.some((letter) => !sizes.has(letter))) {
    throw problem('the result has a letter twice, or one that no operand has');
  }
  const shape = result.map((letter) => sizes.get(letter)!);
  demandFactors(
    'einsum',
    terms.map(({ tensor }) => tensor),
    numel([...sizes.values()]),
  );
  const explicit = `${terms.map(({ letters }) => letters.join('')).join()}->${result.join('')}`;
  const inputs = terms.map(({ tensor }) => tensor);
  return emit('einsum', inputs, { equation: explicit }, shape, inputs[0]!.dtype);
}

/** Letters, and `...` as one. */
function tokens(text: string, problem: (why: string) => Error): string[] {
  const found = text.match(/\.\.\.|[A-Za-z]/g) ?? [];
  const ellipses = found.filter((token) => token === '...').length;
  if (found.join('') === text && ellipses <= 1) return found;
  throw problem(`"${text}" is not made of letters and at most one ellipsis`);
}

/** As many unused letters as the longest ellipsis stands for. */
function ellipsisLetters(
  given: readonly (readonly string[])[],
  tensors: readonly PyTensor[],
): string[] {
  const lengths = given.map((letters, at) =>
    letters.includes('...') ? tensors[at]!.shape.length - (letters.length - 1) : 0,
  );
  const used = new Set(given.flat());
  const free = alphabet.filter((letter) => !used.has(letter));
  return free.slice(0, Math.max(0, ...lengths));
}

/** Puts the last letters of the ellipsis in its place; all of them in the result. */
function spell(letters: readonly string[], rank: number, hidden: readonly string[]): string[] {
  const length = Math.min(hidden.length, Math.max(0, rank - (letters.length - 1)));
  return letters.flatMap((letter) =>
    letter === '...' ? hidden.slice(hidden.length - length) : [letter],
  );
}

/** Letters that stand once in all, in the alphabet's order. */
function implicitResult(given: readonly (readonly string[])[]): string[] {
  const all = given.flat();
  return alphabet.filter(
    (letter) => all.indexOf(letter) >= 0 && all.indexOf(letter) === all.lastIndexOf(letter),
  );
}

/** Takes diagonals until no letter stands twice. */
function diagonals(term: Term): Term {
  const { tensor, letters } = term;
  const second = letters.findIndex((letter, at) => letters.indexOf(letter) < at);
  if (second < 0) return term;
  const letter = letters[second]!;
  const first = letters.indexOf(letter);
  if (tensor.shape[first] !== tensor.shape[second]) {
    throw raised(
      'RuntimeError',
      `einsum: "${letter}" stands for ${tensor.shape[first]} and ${tensor.shape[second]} in one operand`,
    );
  }
  const others = letters.filter((_, at) => at !== first && at !== second);
  return diagonals({ tensor: diagonal(tensor, 0, first, second), letters: [...others, letter] });
}

function sizesOf(terms: readonly Term[], problem: (why: string) => Error): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { tensor, letters } of terms) {
    letters.forEach((letter, axis) => {
      const size = tensor.shape[axis]!;
      const known = sizes.get(letter) ?? 1;
      if (size !== known && size !== 1 && known !== 1) {
        throw problem(`"${letter}" stands for ${known} and ${size}`);
      }
      sizes.set(letter, known === 1 ? size : known);
    });
  }
  return sizes;
}

function expanded({ tensor, letters }: Term, sizes: ReadonlyMap<string, number>): Term {
  const shape = letters.map((letter) => sizes.get(letter)!);
  return shape.join() === tensor.shape.join()
    ? { tensor, letters }
    : { tensor: expand(tensor, shape, 'einsum'), letters };
}

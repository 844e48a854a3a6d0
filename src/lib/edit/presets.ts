/**
 * Ways to the names of another library. A file is recognised by every key of its state_dict: where
 * one has no place in the table of names, or a shape tells of another variant, nothing is offered,
 * since half a model is none.
 */
import { isTensor, type Dict } from '#lib/checkpoint/value.ts';
import { correspondences } from './correspondences.ts';
import type { Edit, Path } from './edits.ts';
import { withPaths, type Parts, type Side } from './model_parts.ts';
import { PathPattern } from './path_pattern.ts';
import type { RenameRule } from './rename.ts';

/** A way to another library's names. */
export interface NamePreset {
  /** `ViT: transformers → timm` */
  readonly title: string;
  edits(place: Path | null): readonly Edit[];
}

/** What else names are known by: an ending that a library has given up. */
const givenUp: readonly { title: string; sign: RegExp; rules: readonly RenameRule[] }[] = [
  {
    title: 'BERT: gamma, beta → weight, bias',
    sign: /(^|\.)LayerNorm\.(gamma|beta)$/,
    rules: [
      { kind: 'replace', pattern: String.raw`(^|\.)LayerNorm\.gamma$`, with: '$1LayerNorm.weight' },
      { kind: 'replace', pattern: String.raw`(^|\.)LayerNorm\.beta$`, with: '$1LayerNorm.bias' },
    ],
  },
];

/** The names that the tensors of a state_dict could have elsewhere. */
export function namePresets(stateDict: Dict): NamePreset[] {
  const shapes = new Map<string, readonly number[]>();
  for (const [key, value] of stateDict.entries()) {
    if (typeof key === 'string' && isTensor(value)) shapes.set(key, value.shape);
  }
  const old = givenUp.filter(({ sign }) => [...shapes.keys()].some((key) => sign.test(key)));
  return [
    ...old.map(({ title, rules }): NamePreset => ({
      title,
      edits: (place) => [{ kind: 'rename', in: place, rules }],
    })),
    ...correspondences.flatMap(({ model, sides }) =>
      sides.flatMap((side) => {
        const parts = partsIn(side, shapes);
        if (!parts) return [];
        return sides
          .filter((other) => other !== side && isWay(parts, other))
          .map((other): NamePreset => ({
            title: `${model}: ${side.library} → ${other.library}`,
            edits: (place) => editsOf(parts, namesIn(other, parts), place),
          }));
      }),
    ),
  ];
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** The parts of a side's model that the keys are, by these keys; null for keys that are not that model's. */
function partsIn(side: Side, shapes: Shapes): Parts | null {
  const { prefix = '', known, shapes: variant = [] } = side;
  const isBare = ![...shapes.keys()].some((key) => key.startsWith(prefix));
  const parts = isBare ? bare(side.parts, prefix) : side.parts;
  const tests = Object.entries(parts).flatMap(([part, paths]) =>
    [paths].flat().map((path) => ({ part, fits: endingAt(path) })),
  );
  const used = new Set<string>();
  for (const key of shapes.keys()) {
    const test = tests.find(({ fits }) => fits(key));
    if (!test) return null;
    used.add(test.part);
  }
  const isKnown = known.every((part) => used.has(part));
  const isVariant = variant.every(([path, fits]) => {
    const isThere = endingAt(path);
    return fits([...shapes].filter(([key]) => isThere(key)).map(([, shape]) => shape));
  });
  if (!isKnown || !isVariant) return null;
  return Object.fromEntries(Object.entries(parts).filter(([part]) => used.has(part)));
}

/** Whether another model has all of these parts that it needs, and a place for each. */
function isWay(parts: Parts, { parts: others, known, without = [] }: Side): boolean {
  return (
    known.every((part) => part in parts) &&
    Object.keys(parts).every((part) => part in others || without.includes(part))
  );
}

/** Another model's names of these parts; those that it does without have none. */
function namesIn({ parts: all, prefix = '', without = [] }: Side, parts: Parts): Parts {
  const names = Object.entries(all).filter(([part]) => part in parts && !without.includes(part));
  const isBare = names.flatMap(([, paths]) => paths).every((path) => path.startsWith(prefix));
  return isBare ? bare(Object.fromEntries(names), prefix) : Object.fromEntries(names);
}

/** The names of a model that stands alone. */
const bare = (parts: Parts, prefix: string) =>
  withPaths(parts, (path) => (path.startsWith(prefix) ? path.slice(prefix.length) : path));

/** What makes the one's names the other's: first what is more than a new name. */
function editsOf(parts: Parts, others: Parts, place: Path | null): Edit[] {
  const dropped: string[] = [];
  const divided: Edit[] = [];
  const rules: RenameRule[] = [];
  const move = (from: string, to: string) => {
    if (from !== to) rules.push({ kind: 'path', pattern: from, with: to });
  };
  for (const [part, from] of Object.entries(parts)) {
    const to = others[part];
    if (to === undefined) dropped.push(...[from].flat().map(globOf));
    else if (typeof from === 'string') {
      if (typeof to === 'string') move(from, to);
      else divided.push({ kind: 'chunk', in: place, parts: to, whole: from });
    } else if (typeof to === 'string') {
      divided.push({ kind: 'cat', in: place, parts: from, whole: to });
    } else from.forEach((path, at) => move(path, to[at]!));
  }
  return [
    ...(dropped.length > 0 ? [{ kind: 'drop', names: dropped } as const] : []),
    ...divided,
    { kind: 'rename', in: place, rules },
  ];
}

/** `layers.*.index`, for `layers.{n}.index`. */
const globOf = (path: string) => path.replace(/\{[^}]*\}/g, '*');

/** Whether a key is what the path says, or a parameter of the module there. */
function endingAt(path: string): (key: string) => boolean {
  const pattern = new PathPattern(path, 'preset');
  return (key) => {
    const match = pattern.match(key);
    return match !== null && !match.rest.includes('.');
  };
}

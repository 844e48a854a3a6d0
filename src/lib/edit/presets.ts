/**
 * Ways to the names of another library. A file is recognised by every key of its state_dict: where
 * one has no place in the table of names, or a shape tells of another variant, nothing is offered,
 * since half a model is none.
 */
import { isTensor, type Dict } from '#lib/checkpoint/value.ts';
import { correspondences, type Correspondence, type Side } from './correspondences.ts';
import type { Edit, Path } from './edits.ts';
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
    ...correspondences.flatMap((it) =>
      ([0, 1] as const).flatMap((from) => presetOf(it, from, shapes) ?? []),
    ),
  ];
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** The way from one side of a correspondence to the other; null for keys that are not that side's. */
function presetOf(
  { model, sides, paths, joined = [] }: Correspondence,
  from: 0 | 1,
  shapes: Shapes,
): NamePreset | null {
  const [side, other] = from === 0 ? sides : [sides[1], sides[0]];
  const { prefix = '' } = side;
  const hasPrefix = prefix === '' || [...shapes.keys()].some((key) => key.startsWith(prefix));
  const own = (path: string) =>
    hasPrefix || !path.startsWith(prefix) ? path : path.slice(prefix.length);
  if (!isKnown(side, own, shapes)) return null;

  const moved = paths.map((pair) => ({ pattern: own(pair[from]!), with: pair[1 - from]! }));
  const kind = from === 0 ? 'cat' : 'chunk';
  const divided = joined.map(({ parts, whole }) =>
    from === 0 ? { parts: parts.map(own), whole } : { parts, whole: own(whole) },
  );
  const tests = [
    ...moved.map(({ pattern }) => pattern),
    ...divided.flatMap(({ parts, whole }) => (from === 0 ? parts : [whole])),
  ].map((path) => ({ path, fits: endingAt(path) }));
  const used = new Set<string>();
  for (const key of shapes.keys()) {
    const test = tests.find(({ fits }) => fits(key));
    if (!test) return null;
    used.add(test.path);
  }
  const rules = moved
    .filter(({ pattern }) => used.has(pattern))
    .map((rule): RenameRule => ({ kind: 'path', ...rule }));
  return {
    title: `${model}: ${side.library} → ${other.library}`,
    edits: (place) => [
      ...divided.map((it): Edit => ({ kind, in: place, ...it })),
      { kind: 'rename', in: place, rules },
    ],
  };
}

function isKnown(
  { known, shapes: variant = [] }: Side,
  own: (path: string) => string,
  shapes: Shapes,
): boolean {
  const at = (path: string) => {
    const isThere = endingAt(own(path));
    return [...shapes].filter(([key]) => isThere(key)).map(([, shape]) => shape);
  };
  return (
    known.every((path) => at(path).length > 0) &&
    variant.every(([path, fits]) => at(path).every(fits))
  );
}

/** Whether a key is what the path says, or a parameter of the module there. */
function endingAt(path: string): (key: string) => boolean {
  const pattern = new PathPattern(path, 'preset');
  return (key) => {
    const match = pattern.match(key);
    return match !== null && !match.rest.includes('.');
  };
}

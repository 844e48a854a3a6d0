/**
 * What libraries call the parts of the same model, where names and joined tensors are all that
 * differs. A part has the same name in each of them, on the left; on the right stands the path of its
 * module or parameter, or several paths where the library holds apart what others hold in one. `{n}`
 * stands for a number; see `path_pattern.ts`.
 */

export type Parts = Readonly<Record<string, string | readonly string[]>>;

export type Shape = readonly number[];

/** A library's model. */
export interface Side {
  readonly library: string;
  readonly parts: Parts;
  /** What heads put before the names of the model in them; the model alone has them without it. */
  readonly prefix?: string;
  /** Parts that are always there, and show that a state_dict is of this model. */
  readonly known: readonly string[];
  /** Parts of others that this model does without, since its outputs do not depend on them. */
  readonly without?: readonly string[];
  /** What shows the variant: shapes of a parameter, in all layers that have it. */
  readonly shapes?: readonly (readonly [
    path: string,
    fits: (shapes: readonly Shape[]) => boolean,
  ])[];
}

export interface Correspondence {
  readonly model: string;
  readonly sides: readonly Side[];
}

/** The parts under changed paths. */
export function withPaths(parts: Parts, change: (path: string) => string): Parts {
  return Object.fromEntries(
    Object.entries(parts).map(([name, paths]) => [
      name,
      typeof paths === 'string' ? change(paths) : paths.map(change),
    ]),
  );
}

/** Parts of a module, by their paths in it. */
export const within = (module: string, parts: Parts) =>
  withPaths(parts, (path) => `${module}.${path}`);

/** Whether all of the shapes fit. */
export const every = (fits: (shape: Shape) => boolean) => (shapes: readonly Shape[]) =>
  shapes.every(fits);

/** The columns of the table, in their order. */
import { words as all } from './words.ts';

export interface Column {
  readonly id: string;
  readonly title: string;
  /** Pixels that it takes at least, and its share of what is left. */
  readonly least: number;
  readonly grow?: number;
  readonly isNumber?: true;
  /** What it is, where the title does not say. */
  readonly help?: string;
  readonly unsortable?: true;
}

const words = all.columns;
const name: Column = { id: 'name', title: words.name, least: 200, grow: 4 };
const marks: Column = {
  ...{ id: 'marks', title: words.marks, help: words.marksHelp },
  ...{ least: 150, grow: 1 },
};
const number = (id: string, title: string, least: number, help?: string): Column => {
  return { id, title, least, isNumber: true, ...(help && { help }) };
};

export const layoutColumns: readonly Column[] = [
  name,
  { id: 'dtype', title: words.dtype, least: 92 },
  { id: 'shape', title: words.shape, least: 110, grow: 1 },
  number('elements', words.elements, 76),
  number('bytes', words.size, 72, words.sizeHelp),
  number('share', words.share, 100, words.shareHelp),
  marks,
];

export const statisticsColumns: readonly Column[] = [
  name,
  number('min', words.min, 76),
  number('max', words.max, 76),
  number('mean', words.mean, 76),
  number('std', words.std, 76, words.stdHelp),
  number('norm', words.norm, 76, words.normHelp),
  number('zeros', words.zeros, 60),
  number('nan', words.nan, 52),
  number('inf', words.inf, 52, words.infHelp),
  {
    ...{ id: 'magnitudes', title: words.magnitudes, help: words.magnitudesHelp },
    ...{ least: 88, unsortable: true },
  },
  marks,
];

const GAP = 12;

/** Tracks of a grid, and the least width of a row with its gaps. */
export function gridOf(columns: readonly Column[]): { tracks: string; least: string } {
  const tracks = columns.map(({ least, grow }) =>
    grow === undefined ? `${least}px` : `minmax(${least}px, ${grow}fr)`,
  );
  const least = columns.reduce((sum, column) => sum + column.least + GAP, GAP);
  return { tracks: tracks.join(' '), least: `${least}px` };
}

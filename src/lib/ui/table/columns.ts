/** The columns of the table, in their order. */
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

const name: Column = { id: 'name', title: 'Name', least: 200, grow: 4 };
const marks: Column = {
  ...{ id: 'marks', title: 'Marks', least: 130, grow: 1 },
  help: 'What stands out; sorted by how much there is to say',
};
const number = (id: string, title: string, least: number, help = `Sort by ${title}`): Column => {
  return { id, title, least, help, isNumber: true };
};

export const layoutColumns: readonly Column[] = [
  name,
  { id: 'dtype', title: 'dtype', least: 78 },
  { id: 'shape', title: 'Shape', least: 110, grow: 1 },
  number('elements', 'Elements', 76),
  number('bytes', 'Size', 72, 'Bytes of the elements'),
  number('share', 'Share', 100, 'What it takes of all storages; tied tensors count once'),
  marks,
];

export const statisticsColumns: readonly Column[] = [
  name,
  number('min', 'Min', 76),
  number('max', 'Max', 76),
  number('mean', 'Mean', 76),
  number('std', 'Std', 76, 'With Bessel’s correction, as tensor.std()'),
  number('norm', 'Norm', 76, 'Square root of the sum of squares'),
  number('zeros', 'Zeros', 60),
  number('nan', 'NaN', 52),
  number('inf', 'Inf', 52, 'Infinite elements of either sign'),
  {
    ...{ id: 'magnitudes', title: 'Magnitudes', least: 88, unsortable: true },
    help: 'How many elements are about how large, by powers of two; one axis for all rows',
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

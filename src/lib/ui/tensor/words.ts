/** What the view of one tensor says, panel by panel. */
import type { TensorStatistics } from '#lib/worker/protocol.ts';
import { formatBytes, formatCount, formatShape, plural } from '../format.ts';

export const words = {
  contents: 'Contents',
  copyPath: 'Copy path',
  shape: 'Shape',
  dtype: 'dtype',
  dtypeName: (dtype: string) => `torch.${dtype}`,
  size: 'Size',
  note: 'Note',
  index: 'Index',
  indexPlaceholder: '[0, :, 3:7]',
  picked: (shape: readonly number[]) => `→ ${formatShape(shape)}`,
  elements: (count: number) => plural(count, 'element'),
  copyPython: 'Copy as Python',
  downloadArray: '.npy',
  shown: 'What is shown',
  shownLabel: 'Elements',
  tabs: {
    values: 'Values',
    pictures: 'Picture',
    neighbours: 'Nearest rows',
    spectrum: 'Singular values',
  },
  reading: 'Reading…',

  tasks: {
    statistics: (title: string) => `Reading ${title}`,
    pictures: (title: string) => `Drawing ${title}`,
    neighbours: (title: string) => `Comparing the rows of ${title}`,
    spectrum: (title: string) => `Decomposing ${title}`,
    array: (name: string) => `Writing ${name}`,
    unread: (title: string) => `Could not read ${title}`,
    unwritten: (name: string) => `Could not write ${name}`,
  },

  cells: {
    label: (title: string) => `Values of ${title}`,
    before: 'The one before',
    next: 'The next one',
    plane: (leading: readonly number[]) => `[${leading.join(', ')}, :, :]`,
    planes: (plane: number, planes: number) =>
      `${(plane + 1).toLocaleString('en-US')} of ${planes.toLocaleString('en-US')}`,
    empty: (shape: readonly number[]) =>
      `This part has no elements: its shape is ${formatShape(shape)}.`,
    copy: 'Copy value and index',
  },

  statistics: {
    title: 'Statistics',
    copy: 'Copy the statistics',
    oddities: 'What is odd',
    busy: 'Reading every element…',
    offer: (bytes: number) => `${formatBytes(bytes)} are to be read.`,
    empty: 'There are no elements.',
    ask: 'Compute statistics',
    min: 'Least',
    max: 'Largest',
    mean: 'Mean',
    std: 'Std',
    norm: 'Norm',
    distinct: 'Distinct',
    manyDistinct: '> 65,536',
    zeros: 'Zeros',
    denormals: 'Denormals',
    nans: 'NaN',
    positiveInfinities: '+Inf',
    negativeInfinities: '−Inf',
    counted: {
      elements: 'Elements',
      parts: 'Parts',
      integers: 'Integers',
    } satisfies Record<TensorStatistics['of'], string>,
    countedNote: {
      elements: '',
      parts: 'Real and imaginary parts are counted each by itself.',
      integers: 'Of the stored integers, before scale and zero point.',
    } satisfies Record<TensorStatistics['of'], string>,
    quantiles: 'Quantiles',
    median: 'Median',
    finite: 'Figures, histogram and quantiles are of the finite numbers.',
    odd: {
      nans: (count: number) => `${formatCount(count)} NaN`,
      infinities: (count: number) => `${formatCount(count)} infinite`,
      denormals: (count: number) => plural(count, 'denormal'),
      zero: 'all zero',
      equal: 'all equal',
    },
  },

  histogram: {
    title: 'Histogram',
    kind: 'Kind of histogram',
    kinds: { linear: 'Linear', log: 'Log count', magnitude: 'Magnitude' },
    column: (from: string, to: string, count: number) => `${from} to ${to}: ${formatCount(count)}`,
    label: (from: string, to: string, most: number, parts: number) =>
      `Histogram from ${from} to ${to}, at most ${formatCount(most)} in one of ${parts} parts`,
    most: (count: number) => `at most ${formatCount(count)}`,
    powers: (zeros: number) =>
      `Absolute values between powers of two; ${formatCount(zeros)} zeros are not counted.`,
    noneButZero: 'No finite number but zero is in it.',
    none: 'No finite number is in it.',
  },

  pictures: {
    empty: 'There are no elements to draw.',
    pixel: 'A pixel is',
    pixelLabel: 'What a pixel shows of its numbers',
    reductions: { mean: 'Mean', min: 'Least', max: 'Largest' },
    colourLabel: 'What is drawn of three channels',
    channels: 'Channels',
    colour: 'Colour',
    png: 'PNG',
    complex: 'Of complex numbers the absolute value is drawn.',
    busy: 'Drawing…',
    offer: (bytes: number) =>
      `For a picture, ${formatBytes(bytes)} are to be read. A slice takes less.`,
    ask: 'Draw',
  },

  neighbours: {
    noMatrix:
      'Rows are compared in a matrix, such as an embedding’s weights. Pick two axes with the index, like',
    example: '[0, 0]',
    row: 'Row',
    by: 'How rows are compared',
    kinds: { cosine: 'Cosine', distance: 'Distance' },
    ask: 'Find the nearest',
    misfit: (rows: number) => `Rows go from 0 to ${formatCount(rows - 1)}.`,
    busy: 'Comparing the rows…',
    nearestTo: (row: number) => `Nearest to row ${row}`,
    ofRows: (rows: number) => `, of ${formatCount(rows)} rows`,
    token: 'Token',
    askOf: 'Find the rows nearest to this one',
    offer: (rows: number, bytes: number) =>
      `All ${formatCount(rows)} rows, ${formatBytes(bytes)}, are read to find the ones most like one of them. With a tokenizer open on the Run page, rows are shown with their tokens.`,
  },

  spectrum: {
    noMatrix:
      'A matrix has singular values; a kernel of a convolution counts as one, with a row for each output channel.',
    title: 'Singular values',
    line: 'singular value',
    across: 'number',
    largest: 'Largest',
    least: 'Least',
    condition: 'Condition number',
    rank: 'Rank',
    rankOf: (rank: number, count: number) => `${rank} of ${count}`,
    effectiveRank: 'Effective rank',
    nine: '90 % of the squares',
    first: (count: number) => `first ${count}`,
    scale: 'Scale of the singular values',
    logarithmic: 'Logarithmic',
    linear: 'Linear',
    copy: 'Copy the singular values',
    shape: (shape: readonly number[], isFolded: boolean) =>
      `Of ${formatShape(shape)}${isFolded ? ', all axes after the first as one' : ''}.`,
    limit: (longest: number) => `The rank counts values above the largest × ${longest} × 2⁻²³, as`,
    limitFunction: 'torch.linalg.matrix_rank',
    limitEnd:
      'does for float32. The effective rank is the exponential of the entropy of their shares.',
    busy: 'Decomposing…',
    offer:
      'Singular values tell how many directions the matrix really uses. A large one takes a while.',
    ask: 'Compute singular values',
  },

  commands: {
    group: 'Tensor',
    close: 'Back to the contents',
    closeWords: 'close leave tensor',
    tab: (tab: string) => `Show the tensor as ${tab.toLowerCase()}`,
    tabWords: 'heat map filters embedding rank numbers',
    index: 'Type an index of the tensor',
    indexWords: 'slice part',
    copyPython: 'Copy the tensor as Python',
    copyWords: 'literal torch.tensor',
    array: 'Download the tensor as .npy',
    arrayWords: 'numpy save export',
    colour: 'Draw three channels in colour',
    channels: 'Draw the channels one by one',
    colourWords: 'rgb filters picture',
    png: 'Download the picture of the tensor as PNG',
    pngWords: 'save export image',
  },
} as const;

/** What the contents of a checkpoint say, as a table, as statistics and as totals. */
import type { StandoutCode } from '#lib/worker/protocol.ts';
import { formatBytes, plural } from '../format.ts';

export const words = {
  contents: 'Contents',
  contentsOf: (name: string) => `Contents of ${name}`,
  tensorsOf: (name: string) => `Tensors of ${name}`,
  shownAs: 'Contents as',
  views: { tree: 'Tree', table: 'Table', statistics: 'Statistics', totals: 'Totals' },
  count: (shown: number, all: number) =>
    shown < all
      ? `${shown.toLocaleString('en-US')} of ${plural(all, 'tensor')}`
      : plural(all, 'tensor'),
  copyNames: 'Copy the names that are shown',
  copyTable: 'Copy table',
  csv: 'CSV',
  csvTitle: 'Download as CSV',
  noRow: (filter: string) => `No row that is shown has “${filter}”. Expand more to find it, or`,
  searchAll: 'Search all tensors',
  noFit: (filter: string) => `No tensor fits “${filter}”.`,
  showAll: 'Show all',
  listing: 'Listing the tensors…',
  noTensors: 'The file has no tensors. The tree shows what it holds.',
  listingTask: 'Listing the tensors',
  notListed: 'Could not list the tensors',
  notShown: (title: string | undefined) => `Could not show ${title}`,

  commands: {
    group: 'Checkpoint',
    show: (view: string) => `Show the contents as ${view.toLowerCase()}`,
    filter: 'Filter the tensors',
    copyNames: 'Copy the names of the tensors that are shown',
    copyTable: 'Copy the table of the tensors that are shown',
    save: 'Download the table of the tensors as CSV',
    saveWords: 'export spreadsheet',
    start: 'Compute the statistics of all tensors',
    startWords: 'min max mean std norm zeros nan outliers dead',
    pause: 'Pause the statistics of all tensors',
  },

  columns: {
    name: 'Name',
    dtype: 'dtype',
    shape: 'Shape',
    elements: 'Elements',
    size: 'Size',
    sizeHelp: 'Bytes of the elements',
    share: 'Share',
    shareHelp: 'What it takes of all storages; tied tensors count once',
    marks: 'Marks',
    marksHelp: 'What stands out; sorted by how much there is to say',
    min: 'Min',
    max: 'Max',
    mean: 'Mean',
    std: 'Std',
    stdHelp: 'With Bessel’s correction, as tensor.std()',
    norm: 'Norm',
    normHelp: 'Square root of the sum of squares',
    zeros: 'Zeros',
    nan: 'NaN',
    inf: 'Inf',
    infHelp: 'Infinite elements of either sign',
    magnitudes: 'Magnitudes',
    magnitudesHelp:
      'How many elements are about how large, by powers of two; one axis for all rows',
    sortBy: (title: string) => `Sort by ${title}`,
  },

  filter: {
    tree: 'Filter the rows that are shown',
    treePlaceholder: 'Filter shown rows',
    table: 'Filter the tensors',
    placeholder: 'conv*.weight >1MB is:tied',
    help: 'How to filter',
    title: 'Filter',
    examples: [
      ['conv1', 'names that have it'],
      ['layer?.*.weight', 'a glob: the whole name, or its end behind a dot'],
      ['/layer[12]\\./', 'a regular expression; /…/i for either case'],
      ['>1MB', 'sizes: > >= < <= ='],
      ['dtype:float16,bfloat16', 'one of these dtypes'],
      ['shape:64,*', 'a glob over the sizes'],
      ['kind:Linear', 'kind of module: the model’s, or by names and shapes'],
      ['std>1', 'figures: elements, min, max, mean, std, norm, zeros, nan, inf'],
      ['zeros>=50%', 'once the statistics are known'],
      ['!bias', 'all but these'],
      ['conv !bias >1kB', 'words apart by spaces must all fit'],
    ],
    noExpression: (source: string) => `/${source}/ is no regular expression`,
    noFigure: (name: string, known: readonly string[]) =>
      `“${name}” is no figure: ${known.join(', ')}`,
    noNumber: (word: string, example: string) => `“${word}” needs a number: ${example}`,
    noValue: (field: string) => `${field}: needs a value behind the colon`,
    noMark: (value: string, known: readonly string[]) =>
      `is:${value} is not known: ${known.join(', ')}`,
  },

  marks: {
    whole: 'checkpoint',
    finding: 'finding',
    tied: 'tied',
    tiedText: (other: string) => `The same elements as ${other}`,
    overlaps: 'overlaps',
    overlapsText: (other: string) => `Has some of its elements in common with ${other}`,
    shared: 'shared',
    sharedText: (other: string) => `In one storage with ${other}`,
    view: (saving: number) => `view −${formatBytes(saving)}`,
    viewText: (saving: number) =>
      `A view: ${formatBytes(saving)} of its storage are no tensor’s. Compacting saves them`,
    expanded: 'expanded',
    expandedText: 'An axis repeats its elements (stride 0)',
    empty: 'empty',
    emptyText: 'Has no elements',
    meta: 'meta',
    metaText: 'The file has its shape alone, no elements',
    duplicate: 'duplicate',
    duplicateText: (other: string | undefined) =>
      `Its elements are stored twice: ${other} has the same`,
    unread: 'no numbers',
    standouts: {
      nan: 'NaN',
      inf: 'Inf',
      'no-gradient': 'no gradient',
      zeros: 'all zeros',
      'zero-rows': 'zero rows',
      constant: 'constant',
      variance: 'variance',
      std: 'std',
      denormal: 'denormal',
    } satisfies Record<StandoutCode, string>,
    magnitudes: (first: number, last: number, peak: number) =>
      `Magnitudes from 2^${first} to 2^${last}, most at 2^${peak}`,
  },

  statistics: {
    title: 'Statistics',
    offer: (bytes: number) => `Reads all elements once, ${formatBytes(bytes)}, in the background.`,
    start: 'Compute',
    pause: 'Pause',
    resume: 'Go on',
    waiting: 'waits for what is in progress',
    before: (bytes: number, pace: string) => `${formatBytes(bytes)} before, ${pace}`,
    comparing: (bytes: number, total: number) =>
      `comparing what looks alike, ${formatBytes(bytes)} of ${formatBytes(total)}`,
    unread: 'Could not read the tensors’ statistics',
    uncompared: 'Could not look for duplicates',
    standouts: (count: number) => plural(count, 'thing stands out', 'things stand out'),
    standoutsTitle: 'What stands out',
    others: (count: number) => `and ${plural(count, 'other')}: sort by marks`,
    copy: 'Copy what stands out',
    nothing: 'Nothing stands out: no NaN, no dead layer, none unlike its like.',
  },

  totals: {
    title: 'Totals',
    by: 'Sums',
    ways: { name: 'By module', kind: 'By kind', dtype: 'By dtype' },
    heads: { name: 'Module', kind: 'Kind', dtype: 'dtype' },
    /** Whose modules' kinds these are, and of how many tensors they are guessed. */
    kindNote: (model: string | null, guessed: number) =>
      model === null
        ? 'Kinds as names and shapes tell them'
        : `Kinds of the modules of ${model}` +
          (guessed > 0 ? `; of ${plural(guessed, 'tensor')}, as names and shapes tell them` : ''),
    tensors: 'Tensors',
    elements: 'Elements',
    size: 'Size',
    share: 'Share',
    whole: 'Whole file',
    show: 'Show its tensors',
    showOf: (label: string) => `Show the tensors of ${label}`,
    /** A name that no module can have: a space is in it. */
    noModule: 'in no module',
  },
} as const;

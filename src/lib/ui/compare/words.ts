/** What the page that compares checkpoints says. */
import type { RenameRule } from '#lib/worker/protocol.ts';
import { formatBytes, formatCount, formatPercent, formatShare, plural } from '../format.ts';

const isAre = (count: number) => (count === 1 ? 'is' : 'are');
/** Titles that stand over the list and over the groups of it. */
const tensors = 'Tensors';

export const words = {
  group: 'Compare',
  emptyTitle: 'Nothing to compare yet',
  emptyText:
    'Drop two checkpoints here at once, or open the first one and choose the other. Several of one run become a series.',
  emptyAction: 'Open a checkpoint',
  compareWith: (name: string) => `Compare ${name} with …`,
  title: (a: string, b: string) => `${a} and ${b}`,
  fileName: (a: string, b: string, extension: string) => `${a} and ${b}.${extension}`,
  whatIsCompared: 'What is compared',
  swap: 'Swap A and B',
  another: 'Another…',
  toGo: (pending: number, of: number) =>
    `${formatCount(pending)} of ${formatCount(of)} tensors to go…`,
  wereNot: (count: number) => `${formatCount(count)} were not compared.`,
  goOn: 'Go on',
  csv: 'CSV',
  json: 'JSON',
  comparing: 'Comparing',
  notCompared: 'Could not compare',

  commands: {
    other: 'Compare with another checkpoint…',
    otherFile: 'Compare with a file…',
    otherFolder: 'Compare with a folder…',
    csv: 'Save the comparison as CSV',
    json: 'Save the comparison as JSON',
    goOn: 'Go on comparing',
    filter: 'Filter the compared tensors',
    filterSeries: 'Filter the tensors of the series',
    allOfSeries: 'Show all tensors of the series together',
    show: (title: string) => `Show compared tensors: ${title.toLowerCase()}`,
    by: (title: string) => `Change by layer: a bar for each ${title.toLowerCase()}`,
    scale: (title: string) => `Change by layer: ${title.toLowerCase()} scale`,
  },

  side: {
    about: (size: number, format: string, isOpen: boolean) =>
      `${formatBytes(size)}, ${format}${isOpen ? ', open' : ''}`,
    tensorsOf: (letter: string) => `Tensors of ${letter}`,
    stateDict: (label: string, count: number) => `${label}, ${plural(count, 'tensor')}`,
    everyTensor: 'every tensor of the file',
  },

  choose: {
    file: 'Another file',
    fileText: 'Drop it on this page, or choose it: any format, whatever the first one is.',
    several: 'Several checkpoints at once, or a folder of them, become a series over epochs.',
    open: 'Open already',
    kept: 'In the library',
    recent: 'Opened lately',
    runs: 'Kept by a run',
    samples: 'Samples',
    checkpointsOf: (run: string) => `Checkpoints of ${run}`,
    run: (epoch: number, bytes: number) => `epoch ${epoch}, ${formatBytes(bytes)}`,
    asSeries: 'All as a series',
    loading: (title: string) => `Loading ${title}`,
    notLoaded: (title: string) => `Could not load ${title}`,
  },

  names: {
    title: 'Names',
    renamed: (rules: readonly RenameRule[], isFound: boolean) =>
      `in B ${rulesText(rules)}${isFound ? ', found by itself' : ''}`,
    asTheyStand: 'as they stand',
    alone: (count: number) => `, ${plural(count, 'tensor')} without a partner`,
    offer: (rules: readonly RenameRule[]) =>
      `With ${rulesText(rules)} in B’s names, more tensors pair.`,
    choose: (ways: number) =>
      `${formatCount(ways)} ways to read B’s names pair as many tensors, but others. Which one is meant?`,
    choice: (rules: readonly RenameRule[]) => rulesText(rules),
    takeOffer: 'Take it',
    find: 'Find pairs by shape and values',
    finding: 'Looking for pairs',
    notFound: 'Could not look for pairs',
    none: 'No two of them fit by shape and values.',
    likely: (count: number) => `${plural(count, 'pair is', 'pairs are')} likely`,
    likelyPairs: 'Likely pairs',
    pairInOrder: (count: number) => `Pair the ${formatCount(count)} in their order`,
    pairAll: (count: number) => `Pair the ${formatCount(count)} with like values`,
    morePairs: (count: number) => `and ${formatCount(count)} more`,
    addRule: 'Add a rule',
    addRuleToB: 'Add a rule for B’s names',
    partAll: (count: number) => `Take ${plural(count, 'pair')} apart`,
    rulesGone: 'The rules were for the names of the other side, and went',
    pair: 'Pair',
    pairNames: (a: string, b: string) => `Pair ${a} with ${b}`,
    why: {
      equal: 'equal values',
      alike: 'like values',
      order: 'equal values, as others have; by their order',
      shape: 'the only ones of their shape',
    },
    cosine: (cosine: number) => `, ${formatPercent(cosine)} cosine`,
  },

  /** How a pair, or a tensor without one, stands. */
  status: {
    equal: 'equal',
    same: 'equal values',
    changed: 'changed',
    shape: 'other shape',
    onlyA: 'only in A',
    onlyB: 'only in B',
    unread: 'not compared',
    pending: '…',
  },
  notFinite: 'changed, not finite',
  /** The numbers are; what differs beside them stands in the details. */
  equalBut: 'equal, but…',

  summary: {
    noTensor: 'Neither side holds a tensor.',
    noPartner: 'No tensor has a partner.',
    oneEqual: 'The tensor is equal, bit for bit.',
    allEqual: (count: number) => `All ${formatCount(count)} tensors are equal, bit for bit.`,
    equal: (alike: number, of: number) =>
      `${formatCount(alike)} of ${plural(of, 'tensor')} ${isAre(alike)} equal`,
    otherBits: (same: number, alike: number) =>
      `, ${same === alike ? 'all' : formatCount(same)} in other bits or another dtype`,
    differ: (count: number, most: string) =>
      `; ${formatCount(count)} ${count === 1 ? `differs: ${most}` : `differ, most in ${most}`}`,
    shape: (count: number) => `${formatCount(count)} ${count === 1 ? 'has' : 'have'} another shape`,
    unread: (count: number) => `${formatCount(count)} could not be compared`,
    onlyA: (count: number) => `${formatCount(count)} ${isAre(count)} only in A`,
    onlyB: (count: number) => `${formatCount(count)} only in B`,
    facts: (count: number) =>
      `Beside numbers, ${plural(count, 'pair differs', 'pairs differ')}: in memory format, ties, requires_grad or quantization.`,
  },

  table: {
    title: tensors,
    which: 'Which tensors',
    filter: 'Filter by name',
    label: 'Compared tensors',
    groups: {
      all: 'All',
      changed: 'Changed',
      shape: 'Shapes',
      onlyA: 'Only in A',
      onlyB: 'Only in B',
      unread: 'Not compared',
      equal: 'Equal',
    },
    name: 'Name',
    dtype: 'dtype',
    shape: 'Shape',
    state: 'State',
    relative: 'Relative',
    relativeHelp: 'Largest |Δ| over the largest |A|; Δ = B − A',
    share: 'Changed',
    shareHelp: 'Share of the elements that are not equal',
    max: 'Max |Δ|',
    maxHelp: 'Largest |Δ|, Δ = B − A',
    distance: '‖Δ‖/‖A‖',
    distanceHelp: 'Norm of Δ over the norm of A',
    cosine: 'Cosine',
    cosineHelp: 'Cosine of the angle between both',
    mean: 'Mean |Δ|',
    meanHelp: 'Mean of |Δ| over all elements',
    both: (a: string, b: string) => `${a} = ${b}`,
    noneNamed: (text: string) => `No tensor here has “${text}” in its name.`,
    none: 'None.',
  },

  details: {
    region: 'Details',
    copyName: 'Copy name',
    close: 'Close details',
    closeTitle: 'Close',
    dtype: 'dtype',
    shape: 'Shape',
    requiresGrad: 'requires_grad',
    bool: (value: boolean) => (value ? 'True' : 'False'),
    noTensor: 'has no such tensor',
    inB: 'In B it is',
    byHand: ', paired by hand.',
    takeApart: 'Take apart',
    unread: (reason: string) => `Not compared: ${reason}.`,
    equal: 'Equal, bit for bit.',
    sameBits: 'Equal numbers, other bits: 0 and -0, or another NaN.',
    sameNumbers: 'Equal numbers in another dtype.',
    pending: 'Its turn has not come yet.',
    reading: (share: number) => `Reading… ${formatPercent(share, 0)}`,
    changed: 'Changed',
    changedOf: (changed: number, of: number, isPacked: boolean) =>
      `${formatCount(changed)} of ${plural(of, isPacked ? 'packed element' : 'element')}, ${formatShare(of ? changed / of : 0)}`,
    notFinite: 'Not finite',
    unmeasured: (count: number) => `${formatCount(count)} of them: NaN or infinite on one side`,
    max: 'Max |Δ|',
    mean: 'Mean |Δ|',
    relative: 'Relative',
    ofLargest: (relative: string) => `${relative} of the largest |A|`,
    distance: '‖Δ‖/‖A‖',
    norms: 'Norms',
    fromTo: (a: string, b: string) => `${a} → ${b}`,
    cosine: 'Cosine',
    nan: 'NaN',
    infinite: 'Infinite',
    inBoth: ([a, b]: readonly [number, number]) => `${formatCount(a)} in A, ${formatCount(b)} in B`,
    compared: 'Compared',
    integers: 'the integers that are stored',
    histogram: 'Δ of the elements that changed',
    histogramLabel: (low: string, high: string) => `Histogram of Δ from ${low} to ${high}`,
    bar: (low: string, high: string, count: number) => `Δ ${low} to ${high}: ${formatCount(count)}`,
    atMost: (value: string) => `at most ${value}`,
    along: 'Mean |Δ| along the first axis',
    alongLabel: (highest: string) => `Mean |Δ| along the first axis, at most ${highest}`,
    rows: (from: number, to: number, mean: string) => `${from} to ${to}: mean |Δ| ${mean}`,
    largest: 'Largest changes',
    index: 'Index',
    delta: 'Δ',
    none: '–',
  },

  layers: {
    title: 'Change by layer',
    unit: '‖Δ‖/‖A‖, in A’s order',
    by: 'A bar for each',
    tensor: 'Tensor',
    module: 'Module',
    scale: 'Scale',
    linear: 'Linear',
    log: 'Log',
    label: (high: string) => `Change by layer, at most ${high}`,
    bar: (name: string, change: string, together: number) =>
      `${name}: ‖Δ‖/‖A‖ ${change}${together > 1 ? `, the most of ${together}` : ''}`,
  },

  values: {
    region: 'Other differences',
    title: 'Beside the tensors',
    allEqual: 'every other value is equal',
    differ: (count: number) => plural(count, 'value differs', 'values differ'),
    label: 'Values that differ',
    value: 'Value',
    metadata: 'Metadata of the file',
    facts: 'The tensors as a whole',
    whole: 'the whole',
    notThere: 'not there',
    more: (count: number) => `${formatCount(count)} more differ.`,
  },

  series: {
    title: 'A series of checkpoints',
    region: 'Series',
    comparing: 'Comparing the series',
    notCompared: 'Could not compare the series',
    members: (count: number) => plural(count, 'checkpoint'),
    all: 'All tensors',
    withoutGaps: (count: number, of: number) =>
      `The ${formatCount(count)} of ${plural(of, 'tensor')} without a gap`,
    gaps: (count: number) => plural(count, 'gap'),
    gap: (member: string, why: string) => `in ${member} ${why}`,
    noNorm: (gaps: readonly string[]) => `No norm: ${gaps.join('; ')}.`,
    byName: ', by its name',
    close: 'Close the series',
    norm: 'Norm',
    change: 'Change from the one before',
    epoch: 'epoch',
    checkpoint: 'checkpoint',
    place: (at: number) => `${at}:`,
    epochOf: (epoch: number) => `, epoch ${epoch}`,
    stepOf: (step: number) => `, step ${step}`,
    tensors,
    tensorsRegion: 'Tensors of the series',
    tensorsLabel: 'Tensors over the series',
    filter: 'Filter by name',
    columns: { name: 'Name', norms: 'Norm', changes: 'Change', most: 'Largest' },
    mostHelp: 'Largest ‖Δ‖/‖x‖ of a step',
    noneNamed: (text: string) => `No tensor has “${text}” in its name.`,
  },
} as const;

function rulesText(rules: readonly RenameRule[]): string {
  const texts = rules.map((rule) => {
    if (rule.kind === 'replace') return `/${rule.pattern}/ replaced by “${rule.with}”`;
    if (rule.kind === 'path') return `“${rule.pattern}” as “${rule.with}”`;
    return `“${rule.prefix}” ${rule.kind === 'strip' ? 'taken off' : 'put before'}`;
  });
  return texts.join(', then ');
}

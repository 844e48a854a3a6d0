/** What the Run page says: inputs, what came out, the measured graph, the check against PyTorch. */
import type { GraphPart } from '#lib/worker/protocol.ts';
import { formatBytes, formatCount, formatMilliseconds, formatShape, plural } from '../format.ts';

const output = 'Output';
const outputs = (index: number, count: number) => (count > 1 ? `${output} ${index}` : output);
const backend = 'Backend';
const time = 'Time';
const memory = 'Memory';
const parameters = 'Parameters';
const seed = 'Seed';
/** A module whose path is empty. */
const theModel = 'the model';

export const words = {
  group: 'Run',
  stop: 'Stop',
  commands: {
    mode: (mode: string) => ({ title: `Input: ${mode}`, words: 'kind of input' }),
    next: { title: 'Next example', words: 'step' },
    before: { title: 'Previous example', words: 'step back' },
    random: { title: 'Random example', words: 'dice' },
    clear: { title: 'Clear the drawing', words: 'erase' },
    image: { title: 'Choose an image…', words: 'picture photo input' },
    table: { title: 'Choose a CSV…', words: 'table rows input' },
    tensors: { title: 'Choose tensors…', words: 'npy npz input' },
    tokenizer: { title: 'Choose a tokenizer…', words: 'vocabulary merges' },
    write: { title: 'Write on from the prompt', words: 'generate sample text' },
    compare: { title: 'Compare the texts', words: 'cosine embedding similarity' },
    names: { title: 'Choose class names…', words: 'labels' },
    forgetNames: { title: 'Go without class names', words: 'labels forget' },
    measure: { title: 'Measure the graph', words: 'profile time memory modules ops' },
    check: { title: 'Check against PyTorch…', words: 'reference compare activations' },
  },

  empty: {
    title: 'Nothing to run yet',
    text: 'Open a checkpoint or a sample, then build its model.',
    action: 'Open a checkpoint',
  },
  noModel: {
    title: (isBuilt: boolean) => (isBuilt ? 'The model lacks weights' : 'No model is built yet'),
    text: 'To run, the lab needs the model’s source and a value for each of its weights.',
    action: 'Go to Model',
  },

  input: {
    title: 'Input',
    kind: 'Kind of input',
    modes: {
      example: 'Example',
      draw: 'Draw',
      image: 'Image',
      table: 'Table',
      write: 'Write',
      compare: 'Compare',
      tensors: 'Tensors',
    },
    noExamples: 'Drop an .npz with examples, or use other inputs.',
    run: 'Run',
    running: 'Running the model',
    failed: 'Could not run the model',
    noBackend: 'No backend could be started',
    /** What lacks before it can run. */
    lacks: {
      draw: 'Draw something: it runs when the pen is lifted.',
      image: 'Choose an image.',
      table: (features: number) => `Give rows of ${features} numbers.`,
      tensors: 'Give a shape for each input.',
    },
  },
  seen: {
    title: 'What the model saw',
    nothing: 'The input as it reaches the first layer.',
  },

  example: {
    from: 'From',
    test: (count: number) => `held out (${count})`,
    train: (count: number) => `train (${count})`,
    index: 'Example',
    before: 'Previous',
    next: 'Next',
    random: 'Random example',
    picture: (index: number) => `Example ${index}`,
    label: 'Label',
    notRead: (index: number) => `Could not read example ${index}`,
  },
  draw: {
    area: 'Drawing area. Without a pointer, use an example, an image file or random numbers.',
    clear: 'Clear',
    centre: 'Centre and fit',
  },
  image: {
    choose: 'Choose an image',
    orDrop: 'or drop or paste one',
    invert: 'Invert (dark on light becomes light on dark)',
  },
  table: {
    choose: 'Choose a CSV',
    orType: (features: number) => `or type rows of ${features} numbers`,
    rows: 'Rows',
    facts: (rows: number, chosen: number, features: number) =>
      `${plural(rows, 'row')}; ${chosen} of ${features} features chosen`,
    columns: 'Columns that are features',
    standardise: (scaler: string) => `Standardise by the checkpoint’s ${scaler}`,
    notRead: 'Could not read the table',
  },
  tensors: {
    choose: 'Choose tensors',
    formats: '.npy, .npz or .pt; or random',
    numbers: 'Numbers',
    random: 'random',
    dtype: 'dtype',
    shape: 'Shape',
    shapeExample: 'with the batch: [1, 3, 224, 224]',
    seed,
    option: (name: string, dtype: string, shape: readonly number[]) =>
      `${name}, ${dtype} ${formatShape(shape)}`,
    opening: (name: string) => `Opening ${name}`,
    notOpened: (name: string) => `Could not open ${name}`,
  },

  tokenizer: {
    title: 'Tokenizer',
    choose: 'Choose',
    none: 'none yet',
    files:
      'tokenizer.json; vocab.json with merges.txt; BERT’s vocab.txt; a meta.pkl with stoi and itos; or a text file with every character once.',
    exceeds: (tokens: number, known: number) =>
      `It has ${tokens} tokens, the model knows ${known}.`,
    opening: 'Opening the tokenizer',
    notOpened: 'Could not open the tokenizer',
  },
  write: {
    prompt: 'Prompt',
    count: 'Tokens',
    temperature: 'Temperature',
    temperatureHint: '0 takes the likeliest token always',
    topK: 'Top-k',
    topP: 'Top-p',
    all: 'all',
    seed,
    write: 'Write',
    noPrompt: 'Begin with a few words.',
    writing: 'Writing',
    failed: 'Could not write',
    progress: (tokens: number, rate: number) => `${tokens} tokens, ${rate.toFixed(1)} a second`,
    nothing: 'Nothing is written yet.',
    reading: 'Reading the prompt; the first pass compiles shaders.',
    text: 'Text',
    facts: { written: 'Written', rate: 'Rate', prompt: 'Prompt' },
    tokens: (count: number) => `${count} tokens`,
    rate: (rate: number) => `${rate.toFixed(1)} tokens/s`,
    copy: 'Copy the text',
  },
  compare: {
    texts: 'Texts, one on each line',
    pooling: 'One vector from the tokens’',
    poolings: { mean: 'mean', first: 'first, [CLS]' },
    compare: 'Compare',
    noTexts: 'Write two or more texts.',
    reading: 'Reading the texts',
    failed: 'Could not compare the texts',
    progress: (done: number, total: number) => `${done} of ${total} texts`,
    nothing: 'Nothing is compared yet.',
    about: (numbers: number) =>
      `Cosine of the angle between the texts’ vectors of ${numbers} numbers`,
    matrix: 'Cosine matrix',
    columns: { text: 'Text', tokens: 'Tokens' },
    copyMatrix: 'Copy the matrix',
    copyVectors: 'Copy the vectors',
  },

  output: {
    title: output,
    nothing: 'Nothing has run yet.',
    facts: { time, backend, output },
    first: 'The first run compiles shaders; the next ones are quicker.',
    top: 'Largest outputs',
    truth: 'label',
    of: (name: string) => `${output} ${name}`,
    raw: 'Raw outputs',
    rawOf: (name: string) => `Raw output ${name}`,
    copy: (what: string) => `Copy ${what.toLowerCase()}`,
    channel: (name: string, channel: number) => `${name}, channel ${channel}`,
    moreChannels: (count: number) => `${count} more channels`,
    columns: { row: 'Row', index: 'Index', class: 'Class', value: 'Value' },
    moreNumbers: (count: number, shape: readonly number[]) =>
      `${count.toLocaleString('en-US')} more numbers of ${formatShape(shape)}; copying takes them all.`,
  },
  names: {
    none: 'No class names.',
    guess: (count: number, from: string) =>
      `Class names are a guess from ${formatCount(count)} outputs: ${from}.`,
    known: (count: number, from: string | undefined) =>
      `${formatCount(count)} class names${from === undefined ? '' : ` from ${from}`}`,
    choose: 'Choose names',
    forget: 'Without names',
  },

  graph: {
    title: 'Graph',
    filter: 'Filter the parts of the graph',
    filterExample: 'Filter',
    measure: 'Measure',
    again: 'Measure again',
    measuring: 'Measuring the model',
    failed: 'Could not measure the model',
    facts: {
      input: 'Input',
      parameters,
      multiplyAdds: 'Multiply-adds',
      onePass: 'One pass',
      opByOp: 'Op by op',
      memory: 'Memory at most',
      backend,
    },
    weights: (bytes: number) => `and ${formatBytes(bytes)} of weights`,
    columns: { part: 'Module or op', parameters, output, time, memory },
    input: 'input',
    doesNotRun: 'does not run',
    notFound: (filter: string) => `No part of the graph has “${filter}”.`,
    how: (passes: number, wait: number) =>
      `Time: op by op, each is waited for on its own, in ${plural(passes, 'pass', 'passes')}, less the ${formatMilliseconds(wait)} that waiting takes at least; one pass is waited for only at its end. Memory: all tensors of the pass while the part runs, at most, without the weights.`,
    firstPass: 'Measuring; the first pass compiles shaders.',
    ready:
      'Measure runs the input above and shows what every module and op gives, how long it takes and how much memory it needs.',
    noInput: 'Give an input above, then measure what every module and op does with it.',
  },
  /** One module or op of the graph. */
  part: {
    title: 'Part of the graph',
    type: 'Type',
    computedBy: 'Computed by',
    calledIn: 'Called in',
    output,
    outputs,
    copyShape: 'Copy shape',
    parameters,
    own: (count: number) => `of which ${formatCount(count)} are its own`,
    multiplyAdds: 'Multiply-adds',
    time,
    ofAll: (share: string) => `${share} of all ops`,
    memory,
    views: 'What is shown',
    attention: 'Attention',
    attentionHow: (shape: readonly number[]) =>
      `Weights ${formatShape(shape)}: a row for each query, a column for each key; rows add up to 1.`,
    running: 'Running the model as far as this…',
    noTensor: ({ ran }: GraphPart) =>
      ran
        ? 'It gives no tensor itself: its modules are called one by one, or nothing uses what it gives.'
        : 'This input does not come through it.',
  },
  figures: {
    least: 'Least',
    largest: 'Largest',
    mean: 'Mean',
    std: 'Std',
    zeros: 'Zeros',
    nan: 'NaN',
    infinite: 'Infinite',
    elements: 'Elements',
    finite: 'Figures and histogram are of the finite numbers.',
    range: (low: string, high: string) => `${low} to ${high}`,
    bar: (range: string, count: number) => `${range}: ${formatCount(count)}`,
    histogram: (low: string, high: string, most: number, parts: number) =>
      `Histogram from ${low} to ${high}, at most ${formatCount(most)} in one of ${parts} parts`,
    most: (count: number) => `at most ${formatCount(count)}`,
  },

  check: {
    title: 'Check against PyTorch',
    choose: 'Choose check.pt',
    comparing: (name: string) => `Comparing with ${name}`,
    failed: (name: string) => `Could not compare with ${name}`,
    progress: (done: number, total: number) => `${done} of ${total} tensors`,
    /** Before the largest error, behind it, and before the module where it begins. */
    verdict: (compared: number, all: number, name: string, backend: string) =>
      `${compared} of ${all} tensors of ${name} compared on ${backend}; the largest relative error is`,
    worst: (name: string) => `, in ${name || theModel}`,
    origin: '; the first module that differs is',
    theModel,
    nothing: (name: string) => `No tensor of ${name} can be compared.`,
    rows: 'Compared tensors',
    columns: {
      name: 'Tensor',
      shape: 'Shape',
      error: 'Relative error',
      difference: 'Difference',
      largest: 'Largest',
    },
    whole: '(the model)',
    copied: ['name', 'shape', 'relative error', 'largest difference', 'largest number'],
    copy: 'Copy the table',
    how: 'Largest difference over the largest number in the file.',
    python: 'Python',
    pythonHow: 'These lines of Python make such a file',
    copyPython: 'Copy the Python',
  },
} as const;

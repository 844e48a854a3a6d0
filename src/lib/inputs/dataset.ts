/**
 * A classification data set: inputs as float32, one class index each. Read from the arrays of a
 * checkpoint (npz, npy, or a dict in a .pt) by the names that people give them.
 */
import { dtypes, type Dtype } from '#lib/checkpoint/dtype.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';

/** Examples of one purpose: training or held out. */
export interface Examples {
  readonly count: number;
  /** One input after the other, already scaled, each `exampleShape` in row-major order. */
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
  /** Which of them count, and in which order; all of them where it is absent. */
  readonly order?: Uint32Array;
}

export interface Dataset {
  readonly name: string;
  readonly arrays: readonly { name: string; dtype: Dtype; shape: readonly number[] }[];
  readonly train: Examples;
  readonly test: Examples | null;
  /** Shape of one input without the batch: (C, H, W) for images. */
  readonly exampleShape: readonly number[];
  /** How stored numbers became inputs. */
  readonly scaling: string;
  readonly classes: number;
}

/** Names of the inputs, then of the labels, as tutorials and exporters use them. */
const INPUT_NAMES = ['images', 'inputs', 'input', 'x', 'data', 'features'];
const LABEL_NAMES = ['labels', 'label', 'targets', 'target', 'y', 'classes'];
/** Arrays that are decoded into memory; larger sets need streaming, which reads no npz today. */
const MAX_ELEMENTS = 2 ** 29;

/** Reads a data set. Throws a FindingError that says which array is missing or does not fit. */
export async function readDataset(
  root: Value,
  name: string,
  signal?: AbortSignal,
): Promise<Dataset> {
  const arrays = new Map<string, Tensor>();
  if (isDict(root)) {
    for (const [key, value] of root.entries()) {
      if (typeof key === 'string' && isTensor(value)) arrays.set(key, value);
    }
  }
  const names = [...arrays.keys()];
  const train = pick(arrays, ['train', '']);
  if (!train) {
    throw refuse(
      `${name}: no inputs and labels found among ${names.map((key) => JSON.stringify(key)).join(', ') || 'no arrays'}`,
      'Name the arrays train_images and train_labels (or inputs and labels), test_images and test_labels for held-out examples.',
    );
  }
  const test = pick(arrays, ['test', 'val', 'valid']);
  const layout = layoutOf(train.inputs);
  if (test) checkAlike(train, test);
  const parts = {
    train: await readExamples(train, layout, signal),
    test: test ? await readExamples(test, layout, signal) : null,
  };
  return {
    name,
    arrays: names.map((key) => ({ name: key, ...dtypeAndShape(arrays.get(key)!) })),
    ...parts,
    exampleShape: layout.shape,
    scaling: layout.scale === 1 ? 'as stored' : `${train.inputs.dtype} / 255`,
    classes: Math.max(classCount(parts.train), parts.test ? classCount(parts.test) : 0),
  };
}

/** What is held out must be stored as what is trained on, or it would be scaled differently. */
function checkAlike(train: Pair, test: Pair): void {
  const form = ({ dtype, shape }: Tensor) => `${dtype} [N, ${shape.slice(1).join(', ')}]`;
  if (form(train.inputs) === form(test.inputs)) return;
  throw refuse(
    `${test.inputsName} is ${form(test.inputs)}, ${train.inputsName} is ${form(train.inputs)}`,
    'Save both with the same dtype and the same example shape.',
  );
}

function classCount({ labels }: Examples): number {
  return labels.reduce((most, label) => Math.max(most, label + 1), 0);
}

function dtypeAndShape({ dtype, shape }: Tensor) {
  return { dtype, shape };
}

function refuse(message: string, advice: string): FindingError {
  return new FindingError({ code: 'data-unsuitable', message: `data: ${message}`, advice });
}

interface Pair {
  readonly inputsName: string;
  readonly inputs: Tensor;
  readonly labelsName: string;
  readonly labels: Tensor;
}

/** The first pair of one purpose: `train_images` and `train_labels`, or `x_train` and `y_train`. */
function pick(arrays: ReadonlyMap<string, Tensor>, purposes: readonly string[]): Pair | null {
  const byName = new Map(
    [...arrays].map(([name, tensor]) => [name.toLowerCase(), { name, tensor }]),
  );
  for (const purpose of purposes) {
    const find = (bases: readonly string[]) => {
      for (const base of bases) {
        const found = purpose
          ? (byName.get(`${purpose}_${base}`) ?? byName.get(`${base}_${purpose}`))
          : byName.get(base);
        if (found) return found;
      }
      return null;
    };
    const inputs = find(INPUT_NAMES);
    const labels = find(LABEL_NAMES);
    if (inputs && labels) {
      return {
        inputsName: inputs.name,
        inputs: inputs.tensor,
        labelsName: labels.name,
        labels: labels.tensor,
      };
    }
  }
  return null;
}

interface Layout {
  readonly shape: readonly number[];
  readonly scale: number;
  /** Stored as (N, H, W, C): turned to (N, C, H, W). */
  readonly channelsLast: boolean;
}

/** uint8 of three or four axes are pictures, 0 to 255; a grey one gets its channel. */
function layoutOf({ dtype, shape }: Tensor): Layout {
  const example = shape.slice(1);
  const scale = dtype === 'uint8' ? 255 : 1;
  if (dtype === 'uint8' && example.length === 2) {
    return { shape: [1, ...example], scale, channelsLast: false };
  }
  const [first, second, third] = example;
  const channelsLast =
    example.length === 3 && dtype === 'uint8' && third! <= 4 && first! > 4 && second! > 4;
  return {
    shape: channelsLast ? [third!, first!, second!] : example,
    scale,
    channelsLast,
  };
}

async function readExamples(pair: Pair, layout: Layout, signal?: AbortSignal): Promise<Examples> {
  const { inputs, labels, inputsName, labelsName } = pair;
  const count = inputs.shape[0] ?? 0;
  const shape = (tensor: Tensor) => `[${tensor.shape.join(', ')}]`;
  if (count === 0) throw refuse(`${inputsName} ${shape(inputs)} holds no examples`, EXPECTED);
  if (numel(inputs.shape) > MAX_ELEMENTS) {
    throw refuse(
      `${inputsName} ${shape(inputs)} is larger than ${MAX_ELEMENTS} elements`,
      EXPECTED,
    );
  }
  if (dtypes[inputs.dtype].kind === 'complex') {
    throw refuse(`${inputsName} is ${inputs.dtype}, expected real numbers`, EXPECTED);
  }
  const { kind } = dtypes[labels.dtype];
  if (
    labels.shape.length !== 1 ||
    labels.shape[0] !== count ||
    kind === 'float' ||
    kind === 'complex'
  ) {
    throw refuse(
      `${labelsName} is ${labels.dtype} ${shape(labels)}, expected one class index for each of the ${count} inputs`,
      EXPECTED,
    );
  }
  const numbers = toFloat32(await readTensor(inputs, signal), inputs.dtype);
  const classes = Int32Array.from(toFloat32(await readTensor(labels, signal), labels.dtype));
  if (classes.some((label) => label < 0))
    throw refuse(`${labelsName} holds a negative class`, EXPECTED);
  if (layout.scale !== 1) numbers.forEach((value, at) => (numbers[at] = value / layout.scale));
  const [channels, height, width] = layout.shape as [number, number, number];
  return {
    count,
    inputs: layout.channelsLast ? channelsFirst(numbers, channels, height * width) : numbers,
    labels: classes,
  };
}

const EXPECTED =
  'Expected: inputs of shape (N, …) and integer labels of shape (N,), saved with numpy.savez.';

/** (N, pixels, C) as (N, C, pixels). */
function channelsFirst(values: Float32Array, channels: number, pixels: number): Float32Array {
  const out = new Float32Array(values.length);
  const size = channels * pixels;
  for (let at = 0; at < values.length; at++) {
    const within = at % size;
    const pixel = Math.floor(within / channels);
    out[at - within + (within % channels) * pixels + pixel] = values[at]!;
  }
  return out;
}

/** The inputs and labels of some examples, one behind the other. */
export function gatherExamples(
  { inputs, labels, count, order }: Examples,
  indices: ArrayLike<number>,
): { inputs: Float32Array<ArrayBuffer>; labels: Int32Array } {
  const size = inputs.length / labels.length;
  const batch = {
    inputs: new Float32Array(indices.length * size),
    labels: new Int32Array(indices.length),
  };
  for (let at = 0; at < indices.length; at++) {
    const index = indices[at]!;
    if (!(index >= 0 && index < count))
      throw new RangeError(`data: no example ${index} of ${count}`);
    const place = order ? order[index]! : index;
    batch.inputs.set(inputs.subarray(place * size, (place + 1) * size), at * size);
    batch.labels[at] = labels[place]!;
  }
  return batch;
}

/** Some examples as a set of their own; the numbers are shared, not copied. */
export function selectExamples(examples: Examples, indices: Uint32Array): Examples {
  const { order } = examples;
  return {
    ...examples,
    count: indices.length,
    order: order ? indices.map((index) => order[index]!) : indices,
  };
}

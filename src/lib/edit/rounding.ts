/**
 * Elements of one dtype as another, as `Tensor.to(dtype)` gives them: rounded to nearest, ties to even.
 * What is narrower than float32 is rounded from float32, by torch also where it comes from float64 or
 * from integers (c10/util/Half.h, BFloat16.h, Float8_*.h), so that both round twice. Beyond the range,
 * float8_e4m3fn takes its largest number and the fnuz kinds take NaN, for infinities too; the others
 * take infinity.
 */
import { dtypes, itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { aligned, toFloat32, toFloat64 } from '#lib/checkpoint/elements.ts';

/** A format below float32, by the codes of its positive numbers. */
interface Narrow {
  readonly mantissaBits: number;
  readonly bias: number;
  /** Code of the largest finite number. */
  readonly largest: number;
  /** What stands for infinity and for what is beyond the largest number. */
  readonly beyond: number;
  readonly nan: number;
  /** Without it, the code of −0 stands for NaN. */
  readonly negativeZero: boolean;
}

const narrow = {
  float16: {
    ...{ mantissaBits: 10, bias: 15, largest: 0x7bff, beyond: 0x7c00, nan: 0x7e00 },
    negativeZero: true,
  },
  bfloat16: {
    ...{ mantissaBits: 7, bias: 127, largest: 0x7f7f, beyond: 0x7f80, nan: 0x7fc0 },
    negativeZero: true,
  },
  float8_e4m3fn: {
    ...{ mantissaBits: 3, bias: 7, largest: 0x7e, beyond: 0x7e, nan: 0x7f },
    negativeZero: true,
  },
  float8_e5m2: {
    ...{ mantissaBits: 2, bias: 15, largest: 0x7b, beyond: 0x7c, nan: 0x7f },
    negativeZero: true,
  },
  float8_e4m3fnuz: {
    ...{ mantissaBits: 3, bias: 8, largest: 0x7f, beyond: 0x80, nan: 0x80 },
    negativeZero: false,
  },
  float8_e5m2fnuz: {
    ...{ mantissaBits: 2, bias: 16, largest: 0x7f, beyond: 0x80, nan: 0x80 },
    negativeZero: false,
  },
} as const satisfies Partial<Record<Dtype, Narrow>>;

type NarrowDtype = keyof typeof narrow;

/** Dtypes that numbers can be rounded to. float8_e8m0fnu is none: it holds powers of two for scales. */
export type RoundedDtype = NarrowDtype | 'float32' | 'float64';

export function isRoundedDtype(dtype: string): dtype is RoundedDtype {
  return dtype === 'float32' || dtype === 'float64' || Object.hasOwn(narrow, dtype);
}

/** Whether numbers of the dtype can be rounded: floats, integers and bools. */
export function isRoundable(dtype: Dtype): boolean {
  return ['float', 'int', 'bool'].includes(dtypes[dtype].kind);
}

export interface Rounded {
  /** Little-endian; the given bytes themselves where the dtypes are equal, else new ones. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Numbers beyond the range of the new dtype. */
  readonly overflowed: number;
  /** Numbers other than zero that became zero. */
  readonly underflowed: number;
}

/** Little-endian elements as those of another dtype. A dtype of packed bits or complex numbers is a RangeError. */
export function roundTo(bytes: Uint8Array, from: Dtype, to: RoundedDtype): Rounded {
  if (from === to) {
    return { bytes: bytes as Uint8Array<ArrayBuffer>, overflowed: 0, underflowed: 0 };
  }
  if (to === 'float64') return whole(toFloat64(bytes, from));
  if (from === 'float64') return fromFloat64(aligned(bytes, Float64Array), to);
  if (dtypes[from].kind === 'float' && itemsize(from) <= 2) return byTable(bytes, from, to);
  const floats = from === 'float32' ? aligned(bytes, Float32Array) : toFloat32(bytes, from);
  return to === 'float32' ? whole(floats) : roundWords(wordsOf(floats), to);
}

function whole(numbers: Float32Array | Float64Array): Rounded {
  const bytes = new Uint8Array(
    numbers.buffer as ArrayBuffer,
    numbers.byteOffset,
    numbers.byteLength,
  );
  return { bytes, overflowed: 0, underflowed: 0 };
}

const wordsOf = ({ buffer, byteOffset, length }: Float32Array) =>
  new Uint32Array(buffer, byteOffset, length);

/** By way of float32; what that loses counts as well. */
function fromFloat64(doubles: Float64Array, to: Exclude<RoundedDtype, 'float64'>): Rounded {
  const floats = new Float32Array(doubles);
  let [overflowed, underflowed] = [0, 0];
  for (let at = 0; at < floats.length; at++) {
    const [double, float] = [doubles[at]!, floats[at]!];
    if (float === 0 && double !== 0) underflowed++;
    else if ((float === Infinity || float === -Infinity) && double !== float) overflowed++;
  }
  if (to === 'float32') return { ...whole(floats), overflowed, underflowed };
  const rounded = roundWords(wordsOf(floats), to);
  const countsInfinity = !hasInfinity(narrow[to]);
  return {
    bytes: rounded.bytes,
    overflowed: rounded.overflowed + (countsInfinity ? 0 : overflowed),
    underflowed: rounded.underflowed + underflowed,
  };
}

const hasInfinity = ({ beyond, largest, nan }: Narrow) => beyond !== largest && beyond !== nan;

/** Bits of float32: of infinity, and of the number one. */
const INFINITY = 0x7f800000;
const IMPLICIT = 1 << 23;

/** Bits of float32 numbers, rounded. */
function roundWords(words: Uint32Array, to: NarrowDtype): Rounded {
  const format: Narrow = narrow[to];
  const { mantissaBits, bias, largest, beyond, nan, negativeZero } = format;
  const isWide = itemsize(to) === 2;
  const out = isWide ? new Uint16Array(words.length) : new Uint8Array(words.length);
  const signBit = isWide ? 0x8000 : 0x80;
  const signShift = isWide ? 16 : 24;
  const cut = 23 - mantissaBits;
  // Half a unit less one, and one more where the unit is odd: ties go to even.
  const half = 2 ** (cut - 1) - 1;
  /** The difference of the exponents, and the numbers that are normal here and cannot overflow. */
  const rebias = (127 - bias) << 23;
  const least = rebias + IMPLICIT;
  const most = rebias + largest * 2 ** cut;
  let [overflowed, underflowed] = [0, 0];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const size = word & 0x7fffffff;
    const sign = (word >>> signShift) & signBit;
    if (size >= least && size < most) {
      // A carry goes on into the exponent by itself.
      out[at] = sign | ((size - rebias + half + ((size >>> cut) & 1)) >>> cut);
    } else if (size < least) {
      const code = denormal(size, cut, rebias);
      if (code === 0 && size !== 0) underflowed++;
      out[at] = code !== 0 || negativeZero ? sign | code : 0;
    } else if (size > INFINITY) {
      out[at] = sign | nan;
    } else {
      const code = (size - rebias + half + ((size >>> cut) & 1)) >>> cut;
      const isBeyond = code > largest;
      if (isBeyond && (size < INFINITY || !hasInfinity(format))) overflowed++;
      out[at] = sign | (isBeyond ? beyond : code);
    }
  }
  return { bytes: new Uint8Array(out.buffer), overflowed, underflowed };
}

/** Code of a number below the least normal one: its mantissa, with the leading bit, in coarser units. */
function denormal(size: number, cut: number, rebias: number): number {
  // Denormals of float32 have the least exponent, without the leading bit.
  const exponent = Math.max(1, size >>> 23);
  const mantissa = (size & (IMPLICIT - 1)) | (size >= IMPLICIT ? IMPLICIT : 0);
  // From 25 bits on nothing is left of 24, not even a tie.
  const shift = Math.min(25, cut + (rebias >>> 23) + 1 - exponent);
  return (mantissa + 2 ** (shift - 1) - 1 + ((mantissa >>> shift) & 1)) >>> shift;
}

/** What becomes of each pattern of at most 16 bits, and whether it is lost. */
interface Table {
  readonly codes: Uint8Array | Uint16Array | Uint32Array;
  readonly losses: Uint8Array;
  readonly isLossless: boolean;
}

const FITS = 0;
const OVERFLOWS = 1;
const UNDERFLOWS = 2;

const tables = new Map<string, Table>();

function tableOf(from: Dtype, to: Exclude<RoundedDtype, 'float64'>): Table {
  const name = `${from} ${to}`;
  const known = tables.get(name);
  if (known) return known;
  const isWide = itemsize(from) === 2;
  const patterns = isWide
    ? Uint16Array.from({ length: 2 ** 16 }, (_, pattern) => pattern)
    : Uint8Array.from({ length: 2 ** 8 }, (_, pattern) => pattern);
  const words = wordsOf(toFloat32(new Uint8Array(patterns.buffer), from));
  const losses = new Uint8Array(words.length);
  let codes: Table['codes'] = words;
  if (to !== 'float32') {
    for (let at = 0; at < words.length; at++) {
      const { overflowed, underflowed } = roundWords(words.subarray(at, at + 1), to);
      losses[at] = overflowed ? OVERFLOWS : underflowed ? UNDERFLOWS : FITS;
    }
    const { bytes } = roundWords(words, to);
    codes = itemsize(to) === 2 ? new Uint16Array(bytes.buffer) : bytes;
  }
  const table = { codes, losses, isLossless: losses.every((loss) => loss === FITS) };
  tables.set(name, table);
  return table;
}

function byTable(bytes: Uint8Array, from: Dtype, to: Exclude<RoundedDtype, 'float64'>): Rounded {
  const { codes, losses, isLossless } = tableOf(from, to);
  const patterns = itemsize(from) === 2 ? aligned(bytes, Uint16Array) : bytes;
  const out =
    codes instanceof Uint32Array
      ? new Uint32Array(patterns.length)
      : codes instanceof Uint16Array
        ? new Uint16Array(patterns.length)
        : new Uint8Array(patterns.length);
  for (let at = 0; at < patterns.length; at++) out[at] = codes[patterns[at]!]!;
  let [overflowed, underflowed] = [0, 0];
  for (let at = 0; !isLossless && at < patterns.length; at++) {
    const loss = losses[patterns[at]!]!;
    if (loss === OVERFLOWS) overflowed++;
    else if (loss === UNDERFLOWS) underflowed++;
  }
  return { bytes: new Uint8Array(out.buffer), overflowed, underflowed };
}

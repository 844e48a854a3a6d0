/**
 * A pickle's bytes as opcodes with their arguments, one at a time: what the machine of `read.ts`
 * runs, what a trace lists, and what other readers of pickles start from. Nothing is kept, so that
 * fifty million opcodes take no memory.
 */
import type { Value } from '#lib/checkpoint/value.ts';
import { decodeLong, decodeUtf8, PickleBytes } from './bytes.ts';
import { opcodes, type OpcodeName } from './opcodes.ts';
import { byteString, textToFloat, textToIndex, textToInt, unescapeRaw, unquote } from './texts.ts';

/** The newest protocol there is (PEP 574, Python 3.8). */
const NEWEST_PROTOCOL = 5;
/** Bytes of an int. Python's random state takes 2,500; to print a longer one takes quadratic time. */
const MAX_LONG_BYTES = 2 ** 16;

const names: (OpcodeName | undefined)[] = [];
for (const [name, code] of Object.entries(opcodes)) names[code] = name as OpcodeName;

/** The opcodes that put their argument on the stack and do nothing else. */
const pushes = [
  'NONE',
  'NEWTRUE',
  'NEWFALSE',
  'BININT',
  'BININT1',
  'BININT2',
  'LONG1',
  'LONG4',
  'INT',
  'LONG',
  'FLOAT',
  'BINFLOAT',
  'UNICODE',
  'BINUNICODE',
  'SHORT_BINUNICODE',
  'BINUNICODE8',
  'STRING',
  'BINSTRING',
  'SHORT_BINSTRING',
  'BINBYTES',
  'SHORT_BINBYTES',
  'BINBYTES8',
  'BYTEARRAY8',
] as const satisfies readonly OpcodeName[];
export type Constant = (typeof pushes)[number];

const constants: ReadonlySet<OpcodeName> = new Set(pushes);

export function isConstant(name: OpcodeName): name is Constant {
  return constants.has(name);
}

export class Decoder {
  readonly #bytes: PickleBytes;
  /** Where the current frame ends (protocol 4), or -1. */
  #frameEnd = -1;
  /** Of the opcode that was decoded last, or that cannot be. */
  offset: number;
  /**
   * The opcode's argument: a constant as it is pushed; `module` and `name` as a global; memo
   * indices, codes, lengths and the protocol as numbers; undefined where it has none.
   */
  argument: Value | undefined;

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = new PickleBytes(bytes);
    this.#bytes.at = start;
    this.offset = start;
  }

  /** Offset just behind the last opcode. */
  get end(): number {
    return this.#bytes.at;
  }

  /** Decodes the next opcode. Throws a RangeError or TypeError that says what is wrong with it. */
  next(): OpcodeName {
    const bytes = this.#bytes;
    this.offset = bytes.at;
    this.argument = undefined;
    const code = bytes.u8();
    const name = names[code];
    if (!name) throw new RangeError(`unknown opcode 0x${code.toString(16).padStart(2, '0')}`);
    this.argument = this.#decode(name);
    if (this.#frameEnd >= 0 && bytes.at >= this.#frameEnd) {
      if (bytes.at > this.#frameEnd) throw new RangeError('an opcode straddles its frame');
      this.#frameEnd = -1;
    }
    return name;
  }

  #decode(name: OpcodeName): Value | undefined {
    const bytes = this.#bytes;
    switch (name) {
      case 'NONE':
        return null;
      case 'NEWTRUE':
        return true;
      case 'NEWFALSE':
        return false;
      case 'BININT':
        return BigInt(bytes.i32());
      case 'BININT1':
        return BigInt(bytes.u8());
      case 'BININT2':
        return BigInt(bytes.u16());
      case 'LONG1':
        return decodeLong(bytes.take(bytes.u8()));
      case 'LONG4':
        return decodeLong(this.#long(bytes.i32()));
      case 'INT': {
        const line = bytes.line();
        return line === '00' ? false : line === '01' ? true : textToInt(line);
      }
      case 'LONG':
        return textToInt(bytes.line().replace(/L$/, ''));
      case 'FLOAT':
        return textToFloat(bytes.line());
      case 'BINFLOAT':
        return bytes.f64();

      // Texts and bytes. The STRING family is Python 2's str: text where it is UTF-8.
      case 'UNICODE':
        return unescapeRaw(bytes.latin1Line());
      case 'BINUNICODE':
        return decodeUtf8(bytes.take(bytes.u32()));
      case 'SHORT_BINUNICODE':
        return decodeUtf8(bytes.take(bytes.u8()));
      case 'BINUNICODE8':
        return decodeUtf8(bytes.take(bytes.length64()));
      case 'STRING':
        return byteString(unquote(bytes.latin1Line()));
      case 'BINSTRING':
        return byteString(bytes.take(size(bytes.i32())));
      case 'SHORT_BINSTRING':
        return byteString(bytes.take(bytes.u8()));
      case 'BINBYTES':
        return { kind: 'bytes', bytes: bytes.take(bytes.u32()), mutable: false };
      case 'SHORT_BINBYTES':
        return { kind: 'bytes', bytes: bytes.take(bytes.u8()), mutable: false };
      case 'BINBYTES8':
        return { kind: 'bytes', bytes: bytes.take(bytes.length64()), mutable: false };
      case 'BYTEARRAY8':
        return { kind: 'bytes', bytes: bytes.take(bytes.length64()), mutable: true };

      case 'GLOBAL':
      case 'INST':
        return { kind: 'global', module: bytes.line(), name: bytes.line() };
      case 'PERSID':
        return bytes.line();
      case 'PUT':
      case 'GET':
        return textToIndex(bytes.line());
      case 'BINPUT':
      case 'BINGET':
      case 'EXT1':
        return bytes.u8();
      case 'LONG_BINPUT':
      case 'LONG_BINGET':
        return bytes.u32();
      case 'EXT2':
        return bytes.u16();
      case 'EXT4':
        return bytes.i32();
      case 'PROTO': {
        const protocol = bytes.u8();
        if (protocol <= NEWEST_PROTOCOL) return protocol;
        throw new RangeError(`protocol ${protocol} is newer than ${NEWEST_PROTOCOL}`);
      }
      case 'FRAME': {
        const length = bytes.length64();
        if (this.#frameEnd >= 0) throw new RangeError('a frame inside of a frame');
        this.#frameEnd = bytes.at + length;
        return length;
      }
      default:
        return undefined;
    }
  }

  #long(length: number): Uint8Array {
    if (length > MAX_LONG_BYTES) throw new RangeError(`an int of ${length} bytes`);
    return this.#bytes.take(size(length));
  }
}

/** A length field that is signed in the format. */
function size(length: number): number {
  if (length < 0) throw new RangeError(`negative length ${length}`);
  return length;
}

/** One opcode. `argument` as `Decoder` gives it. */
export interface Opcode {
  readonly offset: number;
  readonly name: OpcodeName;
  readonly argument: Value | undefined;
}

/** The opcodes from `start` up to STOP. Throws a RangeError or TypeError where one is broken. */
export function* disassemble(bytes: Uint8Array, start = 0): Generator<Opcode, void> {
  const decoder = new Decoder(bytes, start);
  for (;;) {
    const name = decoder.next();
    yield { offset: decoder.offset, name, argument: decoder.argument };
    if (name === 'STOP') return;
  }
}

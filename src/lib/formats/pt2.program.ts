/**
 * The graph of an exported program: `models/{name}.json`, or `serialized_exported_program.json` of
 * the first layout (torch/_export/serde/schema.py: `ExportedProgram`, `Graph`, `Node`, `Argument`).
 * Becomes an ExportedProgram, in which everything that it names is text.
 */
import type {
  ExportedInput,
  ExportedNode,
  ExportedOutput,
  ExportedProgram,
  ExportedTensor,
  ExportedValue,
  OpenSize,
} from '#lib/checkpoint/exported.ts';
import type { Json } from './json.ts';
import { Fields, jsonOf } from './pt2.fields.ts';
import { dtypeByCode } from './pt2.payloads.ts';

/** Reads the program. Throws a FindingError that names the place. */
export function parseProgram(bytes: Uint8Array, record: string): ExportedProgram {
  const program = new Fields(jsonOf(bytes, record), record, 'the program');
  const module = program.object('graph_module');
  const graph = module.object('graph');
  const signature = module.object('signature');
  const reader = new Reader(record);
  const torch = program.entries.get('torch_version');
  return {
    torch: typeof torch === 'string' ? torch : null,
    inputs: signature
      .objects('input_specs')
      .filter(({ union }) => union.tag !== 'constant_input')
      .map((spec) => reader.input(spec)),
    outputs: signature.objects('output_specs').map((spec) => reader.output(spec)),
    nodes: graph.objects('nodes').map((node) => reader.node(node)),
    tensors: reader.tensors(graph.object('tensor_values')),
    ranges: reader.ranges(program),
    guards: textsOf(program.entries.get('guards_code')),
  };
}

/** `ArgumentKind.POSITIONAL` */
const POSITIONAL = 1n;

class Reader {
  readonly #record: string;
  constructor(record: string) {
    this.#record = record;
  }

  #fields(json: Json, what: string): Fields {
    return new Fields(json, this.#record, what);
  }

  input(spec: Fields): ExportedInput {
    const { tag, value } = spec.union;
    const fields = this.#fields(value, `input ${tag}`);
    const name = (argument: Fields) => argument.text('name');
    switch (tag) {
      case 'parameter':
        return {
          name: name(fields.object('arg')),
          kind: tag,
          target: fields.text('parameter_name'),
        };
      case 'buffer':
        return { name: name(fields.object('arg')), kind: tag, target: fields.text('buffer_name') };
      case 'tensor_constant': {
        const target = fields.text('tensor_constant_name');
        return { name: name(fields.object('arg')), kind: 'constant', target };
      }
      case 'user_input': {
        const given = nameOf(this.value(fields.object('arg')));
        if (given === null) throw fields.wrong('is no tensor');
        return { name: given, kind: 'user', target: '' };
      }
      default:
        throw spec.wrong(`has an input of the unknown kind ${JSON.stringify(tag)}`);
    }
  }

  output(spec: Fields): ExportedOutput {
    const { tag, value } = spec.union;
    const fields = this.#fields(value, `output ${tag}`);
    if (tag !== 'user_output') return { name: fields.object('arg').text('name'), kind: 'mutation' };
    const given = this.value(fields.object('arg'));
    return { name: nameOf(given), kind: 'user' };
  }

  node(node: Fields): ExportedNode {
    const outputs = node.objects('outputs').map((output) => this.value(output));
    const isList = outputs.length === 1 && isListOf(outputs[0]!);
    const names = isList ? (outputs[0] as { items: readonly ExportedValue[] }).items : outputs;
    const metadata = node.object('metadata').entries;
    return {
      target: node.text('target'),
      inputs: node.objects('inputs').map((input) => ({
        name: input.text('name'),
        value: this.value(input.object('arg')),
        isPositional: input.entries.get('kind') === POSITIONAL,
      })),
      outputs: names.map(nameOf),
      isList,
      module: moduleOf(metadata.get('nn_module_stack')),
      line: lineOf(metadata.get('stack_trace')),
    };
  }

  tensors(values: Fields): Map<string, ExportedTensor> {
    return new Map(
      [...values.entries.keys()].map((name) => {
        const meta = values.object(name);
        const dtype = dtypeByCode.get(meta.integer('dtype')) ?? null;
        const shape = meta.objects('sizes').map((size) => this.#size(size));
        const strides = meta.objects('strides').map((stride) => this.#size(stride));
        return [name, { shape, isContiguous: isContiguous(shape, strides), dtype }];
      }),
    );
  }

  /** `as_int`, or `as_expr` with `Symbol('s77', …)`, in older files `s77`. */
  #size(size: Fields): number | OpenSize {
    const { tag, value } = size.union;
    if (tag === 'as_int' && typeof value === 'bigint') return Number(value);
    const { entries } = this.#fields(value, `size ${tag}`);
    const text = entries.get('expr_str');
    const [, long, short] =
      /^(?:Symbol\('(\w+)'[^()]*\)|([a-z]\w*))$/.exec(typeof text === 'string' ? text : '') ?? [];
    const hint = entries.get('hint');
    const example = hint == null ? null : this.#fields(hint, 'a hint').entries.get('as_int');
    return {
      symbol: long ?? short ?? null,
      example: typeof example === 'bigint' ? Number(example) : null,
    };
  }

  ranges(program: Fields): ExportedProgram['ranges'] {
    if (program.isNull('range_constraints')) return new Map();
    const constraints = program.object('range_constraints');
    const bound = (value: Json | undefined) => (typeof value === 'bigint' ? Number(value) : null);
    return new Map(
      [...constraints.entries.keys()].map((symbol) => {
        const { entries } = constraints.object(symbol);
        const [min, max] = [bound(entries.get('min_val')), bound(entries.get('max_val'))];
        return [symbol, { min: min ?? 0, max }];
      }),
    );
  }

  /** An `Argument`, which says by its tag what it is. */
  value(argument: Fields): ExportedValue {
    const { tag, value } = argument.union;
    const many = (item: (json: Json) => ExportedValue): ExportedValue =>
      Array.isArray(value) ? { kind: 'list', items: value.map(item) } : unknown(tag);
    switch (tag) {
      case 'as_none':
        return null;
      case 'as_tensor':
        return this.#name(value);
      case 'as_optional_tensor':
        return this.#optional(value);
      case 'as_tensors':
        return many((item) => this.#name(item));
      case 'as_optional_tensors':
        return many((item) => this.#optional(item));
      case 'as_int':
      case 'as_float':
      case 'as_bool':
        return scalar(value, tag);
      case 'as_ints':
      case 'as_floats':
      case 'as_bools':
        return many((item) => scalar(item, tag));
      case 'as_sym_int':
      case 'as_sym_float':
      case 'as_sym_bool':
        return this.#symbol(value, tag);
      case 'as_sym_ints':
      case 'as_sym_floats':
        return many((item) => this.#symbol(item, tag));
      case 'as_string':
        return typeof value === 'string' ? { kind: 'text', text: value } : unknown(tag);
      case 'as_scalar_type': {
        const dtype = typeof value === 'bigint' ? dtypeByCode.get(value) : undefined;
        return dtype ? { kind: 'dtype', dtype } : unknown(tag);
      }
      case 'as_graph': {
        const graph = this.#fields(value, 'a part').object('graph');
        const names = (key: string) => graph.objects(key).map((item) => nameOf(this.value(item)));
        return {
          kind: 'graph',
          inputs: names('inputs'),
          outputs: names('outputs'),
          nodes: graph.objects('nodes').map((node) => this.node(node)),
          tensors: this.tensors(graph.object('tensor_values')),
        };
      }
      case 'as_memory_format':
      case 'as_layout':
      case 'as_device':
        return { kind: 'placement' };
      default:
        return unknown(tag);
    }
  }

  #name(json: Json): ExportedValue {
    return { kind: 'name', name: this.#fields(json, 'an argument').text('name') };
  }

  #optional(json: Json): ExportedValue {
    const { tag, value } = this.#fields(json, 'an argument').union;
    return tag === 'as_none' ? null : this.#name(value);
  }

  /** A number that the program works out from sizes, by its name, or one that is fixed. */
  #symbol(json: Json, tag: string): ExportedValue {
    const { tag: kind, value } = this.#fields(json, 'an argument').union;
    if (kind === 'as_name' && typeof value === 'string') return { kind: 'name', name: value };
    return /^as_(int|float|bool)$/.test(kind) ? scalar(value, tag) : unknown(tag);
  }
}

/** Strides of axes of size 1 mean nothing. Open sizes are not followed. */
function isContiguous(
  shape: readonly (number | OpenSize)[],
  strides: readonly (number | OpenSize)[],
): boolean {
  let step = 1;
  return shape.every((_, index) => {
    const axis = shape.length - 1 - index;
    const [size, stride] = [shape[axis], strides[axis]];
    if (size === 1) return true;
    const fits = stride === step;
    step *= typeof size === 'number' ? size : Number.NaN;
    return fits;
  });
}

function textsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function nameOf(value: ExportedValue): string | null {
  return typeof value === 'object' && value?.kind === 'name' ? value.name : null;
}

function unknown(what: string): ExportedValue {
  return { kind: 'unknown', what };
}

function isListOf(value: ExportedValue): boolean {
  return typeof value === 'object' && value?.kind === 'list';
}

/** JSON has no NaN and no infinities; torch.export writes them as words. */
const words = new Map<Json, number>([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

function scalar(value: Json, tag: string): ExportedValue {
  const isFloat = /float/.test(tag);
  if (isFloat && words.has(value)) return words.get(value)!;
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return isFloat ? Number(value) : value;
  return unknown(tag);
}

/** `L__self__,,__main__.Net;L__self__conv,conv,torch.nn…`: the path of the innermost module. */
function moduleOf(stack: Json | undefined): string {
  if (typeof stack !== 'string') return '';
  const path = stack.split(';').at(-1)!.split(',')[1] ?? '';
  return path.replace(/^L\['self'\]\.?/, '').replace(/@\d+$/, '');
}

/** The outermost line of a stack trace: that of the user's source, not torch's. */
function lineOf(trace: Json | undefined): ExportedNode['line'] {
  if (typeof trace !== 'string') return null;
  const lines = [...trace.matchAll(/File "([^"\n]{1,1000})", line (\d{1,9})/g)];
  const own = lines.findLast(([, file]) => !/[/\\]torch[/\\]nn[/\\]/.test(file!)) ?? lines.at(-1);
  if (!own) return null;
  return { file: own[1]!.replace(/^.*[/\\]/, ''), line: Number(own[2]) };
}

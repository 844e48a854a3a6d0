/**
 * The layers of `torch.nn`. A layer keeps its arguments as attributes, as PyTorch's does, and its
 * forward reads them from there, so that code which changes them afterwards is heard.
 */
import { ClassMethod, PyClass, PyInstance } from '../python/classes.ts';
import { raised, unsupported } from '../python/errors.ts';
import { call, NativeFunction } from '../python/functions.ts';
import { noArguments, type PyValue } from '../python/object.ts';
import { Given } from './arguments.ts';
import { PyDtype } from './dtypes.ts';
import { unset } from './emit.ts';
import { notKept } from './layer_arguments.ts';
import {
  initializeModule,
  isModule,
  registerBuffer,
  registerModule,
  registerParameter,
  store,
} from './module.ts';
import { layers } from './layers/index.ts';
import type { Session } from './session.ts';
import { PyTensor, type TensorProtocol } from './tensor.ts';

/** A layer while it is built: its arguments, and how it gets parameters and buffers. */
export interface Building {
  readonly given: Given;
  /** With `ready` a parameter of given numbers: the layer draws none. */
  parameter(
    name: string,
    shape: readonly number[] | null,
    options?: { ready?: PyTensor; requiresGrad?: boolean },
  ): void;
  buffer(name: string, shape: readonly number[] | null, dtype?: 'int64'): void;
  /** Makes an argument a buffer. */
  held(name: string, tensor: PyTensor | null): void;
  /** Makes a layer of this one: `child('out_proj', 'Linear', [4n, 4n])`. */
  child(name: string, layer: string, args: readonly PyValue[]): void;
  set(name: string, value: PyValue): void;
}

/** Makes a layer; `make` calls the class. */
export type Maker = (
  given: Given,
  make: (positional: readonly PyValue[], keywords?: ReadonlyMap<string, PyValue>) => PyInstance,
) => PyValue;

export interface Layer {
  readonly signature: string;
  /** The signature of forward; `input` unless it says otherwise. */
  readonly call?: string;
  /** Methods that change no numbers: they do nothing. */
  readonly inert?: readonly string[];
  /** Class methods, as Python has them: `Embedding.from_pretrained`. */
  readonly classMethods?: Readonly<Record<string, readonly [signature: string, body: Maker]>>;
  /** Makes parameters and checks arguments. Without it, a layer only keeps its arguments. */
  readonly build?: (layer: Building) => void;
  /** Gives parameters and buffers their first values: `reset_parameters`. */
  readonly reset?: (self: Attributes) => void;
  /** Its name, where it is another one. */
  readonly resetName?: '_reset_parameters';
  /** `call` has forward's arguments, `self` the layer's attributes, parameters and buffers. */
  readonly forward: (call: Given, self: Attributes) => PyValue;
}

/** The attributes of a layer, its parameters and buffers, and its child layers. */
export class Attributes extends Given {
  /** A parameter or buffer; null where the layer has none of that name. */
  held(name: string): PyTensor | null {
    const value = this.optional(name);
    return value instanceof PyTensor ? value : null;
  }

  child(name: string): Attributes {
    const module = this.value(name);
    if (isModule(module)) return new Attributes(name, attributesOf(module));
    throw raised('TypeError', `${name} must be a Module`);
  }
}

/** Layers by the names of their classes. */
export type Layers = Readonly<Record<string, Layer>>;

/** Makes the classes of all layers of one run. */
export function layerClasses(
  session: Session,
  protocol: TensorProtocol,
  module: PyClass,
): Map<string, PyClass> {
  const classes = new Map<string, PyClass>();
  for (const [name, layer] of Object.entries(layers)) {
    classes.set(name, layerClass(session, protocol, module, name, layer, classes));
  }
  return classes;
}

/** A layer's dicts take about as long as this many steps. */
const stepsPerLayer = 50;
/** Each of its parameters; an LSTM may have any number of them. */
const stepsPerParameter = 10;

function layerClass(
  session: Session,
  protocol: TensorProtocol,
  module: PyClass,
  name: string,
  layer: Layer,
  classes: ReadonlyMap<string, PyClass>,
): PyClass {
  const like = { session, protocol };
  const signature = layer.signature === '' ? 'self' : `self, ${layer.signature}`;
  const initialize = new NativeFunction(name, signature, (_, { values }) => {
    const self = instance(values);
    session.interpreter.step(stepsPerLayer);
    initializeModule(self);
    const given = new Given(name, values);
    refuseDtype(values.get('dtype'));
    for (const [key, value] of values) if (!notKept.has(key)) self.attributes.set(key, value);
    let isReady = false;
    layer.build?.({
      given,
      held(key, tensor) {
        self.attributes.delete(key);
        registerBuffer(self, key, tensor, true);
      },
      child(key, kind, args) {
        const child = call(session.interpreter, classes.get(kind)!, {
          ...noArguments,
          positional: args,
        });
        registerModule(self, key, child);
      },
      set: (key, value) => self.attributes.set(key, value),
      parameter(key, shape, { ready, requiresGrad = true } = {}) {
        session.interpreter.step(stepsPerParameter);
        const options = { isParameter: true, requiresGrad };
        const parameter = shape && unset(like, name, shape, 'float32', options);
        if (parameter && ready) parameter.become(ready);
        isReady ||= ready !== undefined;
        registerParameter(self, key, parameter);
      },
      buffer(key, shape, dtype) {
        registerBuffer(self, key, shape && unset(like, name, shape, dtype ?? 'float32'), true);
      },
    });
    if (!isReady) layer.reset?.(new Attributes(name, attributesOf(self)));
    return null;
  });
  const called = `self, ${layer.call ?? 'input'}`;
  const forward = new NativeFunction(`${name}.forward`, called, (_, { values }) =>
    layer.forward(new Given(name, values), new Attributes(name, attributesOf(instance(values)))),
  );
  const attributes = new Map<string, PyValue>([
    ['__init__', initialize],
    ['forward', forward],
  ]);
  if (layer.reset) {
    const reset = new NativeFunction(`${name}.reset_parameters`, 'self', (_, { values }) => {
      session.buildOnly('reset_parameters');
      layer.reset!(new Attributes(name, attributesOf(instance(values))));
      return null;
    });
    attributes.set(layer.resetName ?? 'reset_parameters', reset);
  }
  for (const method of layer.inert ?? []) {
    attributes.set(method, new NativeFunction(method, 'self', () => null));
  }
  for (const [method, [parameters, body]] of Object.entries(layer.classMethods ?? {})) {
    const run = new NativeFunction(method, `cls, ${parameters}`, (interpreter, { values }) =>
      body(
        new Given(`${name}.${method}`, values),
        (positional, keywords = new Map()) =>
          call(interpreter, values.get('cls')!, { positional, keywords }) as PyInstance,
      ),
    );
    attributes.set(method, new ClassMethod(run));
  }
  return new PyClass(name, [module], { attributes });
}

function instance(values: ReadonlyMap<string, PyValue>): PyInstance {
  const self = values.get('self');
  if (self instanceof PyInstance) return self;
  throw raised('TypeError', 'the first argument must be a module');
}

function refuseDtype(dtype: PyValue | undefined): void {
  if (dtype instanceof PyDtype && dtype.dtype !== 'float32') {
    throw unsupported(`a layer of dtype ${dtype.dtype} is not supported`);
  }
}

/** Attributes, parameters, buffers and child layers by name, as forward finds them. */
function attributesOf(self: PyInstance): ReadonlyMap<string, PyValue> {
  const values = new Map(self.attributes);
  for (const kind of ['_parameters', '_buffers', '_modules'] as const) {
    for (const [name, value] of store(self, kind)?.entries() ?? []) values.set(String(name), value);
  }
  return values;
}

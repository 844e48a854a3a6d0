/**
 * The layers of `torch.nn`. A layer keeps its arguments as attributes, as PyTorch's does, and its
 * forward reads them from there, so that code which changes them afterwards is heard.
 */
import type { Pair } from '../graph.ts';
import { PyClass, PyInstance } from '../python/classes.ts';
import { PyTuple } from '../python/collections.ts';
import { raised, unsupported } from '../python/errors.ts';
import { NativeFunction } from '../python/functions.ts';
import type { PyValue } from '../python/object.ts';
import { Given } from './arguments.ts';
import { PyDtype } from './dtypes.ts';
import {
  adaptiveSize,
  convolutionPadding,
  maxPool,
  maybeInPlace,
  optionalDim,
} from './functional.ts';
import { initializeModule, registerBuffer, registerParameter, store } from './module.ts';
import * as ops from './ops.ts';
import type { Session } from './session.ts';
import { PyTensor, shapeText, type TensorProtocol } from './tensor.ts';

/** A layer while it is built: its arguments, and how it gets parameters and buffers. */
interface Building {
  readonly given: Given;
  parameter(name: string, shape: readonly number[] | null): void;
  buffer(name: string, shape: readonly number[] | null, dtype?: 'int64'): void;
  set(name: string, value: PyValue): void;
}

interface Layer {
  readonly signature: string;
  /** Makes parameters and checks arguments. Without it, a layer only keeps its arguments. */
  readonly build?: (layer: Building) => void;
  readonly forward: (x: PyTensor, self: Given) => PyValue;
}

/** Makes the classes of all layers of one run. */
export function layerClasses(
  session: Session,
  protocol: TensorProtocol,
  module: PyClass,
): Map<string, PyClass> {
  const classes = Object.entries(layers).map(([name, layer]) => {
    const cls = layerClass(session, protocol, module, name, layer);
    return [name, cls] as const;
  });
  return new Map(classes);
}

/** A layer's dicts and parameters take about as long as this many steps. */
const stepsPerLayer = 50;

/** Arguments that PyTorch's layers do not keep. */
const notKept = new Set(['self', 'device', 'dtype', 'bias']);

function layerClass(
  session: Session,
  protocol: TensorProtocol,
  module: PyClass,
  name: string,
  layer: Layer,
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
    layer.build?.({
      given,
      set: (key, value) => self.attributes.set(key, value),
      parameter(key, shape) {
        const options = { isParameter: true, requiresGrad: true };
        registerParameter(self, key, shape && new PyTensor(like, shape, 'float32', options));
      },
      buffer(key, shape, dtype) {
        const options = { madeBy: name };
        registerBuffer(
          self,
          key,
          shape && new PyTensor(like, shape, dtype ?? 'float32', options),
          true,
        );
      },
    });
    return null;
  });
  const forward = new NativeFunction(`${name}.forward`, 'self, input', (_, { values }) => {
    const self = instance(values);
    const x = new Given(name, values).tensor('input');
    return layer.forward(x, new Given(name, attributesOf(self)));
  });
  const attributes = new Map<string, PyValue>([
    ['__init__', initialize],
    ['forward', forward],
  ]);
  if (layer.build) attributes.set('reset_parameters', resetParameters(session));
  return new PyClass(name, [module], { attributes });
}

/** Draws first values anew; the checkpoint brings others. */
function resetParameters(session: Session): PyValue {
  return new NativeFunction('reset_parameters', 'self', () => {
    session.buildOnly('reset_parameters');
    return null;
  });
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

/** Attributes, parameters and buffers by name, as forward finds them. */
function attributesOf(self: PyInstance): ReadonlyMap<string, PyValue> {
  const values = new Map(self.attributes);
  for (const kind of ['_parameters', '_buffers'] as const) {
    for (const [name, value] of store(self, kind)?.entries() ?? []) values.set(String(name), value);
  }
  return values;
}

function pairValue(pair: Pair): PyTuple {
  return new PyTuple(pair.map(BigInt));
}

const identity: Layer['forward'] = (x) => x;

const batchNorm = (ranks: readonly number[], words: string): Layer => ({
  signature:
    'num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None',
  build({ given, parameter, buffer }) {
    const features = [given.size('num_features')];
    const affine = given.bool('affine');
    const tracks = given.bool('track_running_stats');
    given.float('eps');
    if (given.value('momentum') !== null) given.float('momentum');
    parameter('weight', affine ? features : null);
    parameter('bias', affine ? features : null);
    buffer('running_mean', tracks ? features : null);
    buffer('running_var', tracks ? features : null);
    buffer('num_batches_tracked', tracks ? [] : null, 'int64');
  },
  forward(x, self) {
    if (!ranks.includes(x.shape.length)) {
      throw raised('ValueError', `batch_norm: expected ${words} input, got ${shapeText(x.shape)}`);
    }
    const mean = self.tensorOrNone('running_mean');
    const variance = self.tensorOrNone('running_var');
    // Without running statistics, the batch's own are used in evaluation too.
    const training = self.bool('training') || (mean === null && variance === null);
    const tracks = self.bool('track_running_stats');
    const isUsed = !self.bool('training') || tracks;
    return ops.batchNorm(
      x,
      {
        weight: self.tensorOrNone('weight'),
        bias: self.tensorOrNone('bias'),
        runningMean: isUsed ? mean : null,
        runningVar: isUsed ? variance : null,
        batchesTracked: isUsed ? self.tensorOrNone('num_batches_tracked') : null,
      },
      {
        training,
        momentum: self.value('momentum') === null ? null : self.float('momentum'),
        eps: self.float('eps'),
      },
    );
  },
});

const softmax = (op: 'softmax' | 'log_softmax'): Layer => ({
  signature: 'dim=None',
  forward: (x, self) => ops.softmax(op, x, optionalDim(self)),
});

/** Drops whole channels in training, which the graph's dropout does not. */
const channelDropout: Layer = {
  signature: 'p=0.5, inplace=False',
  forward(x, self) {
    const training = self.bool('training');
    if (training && self.float('p') > 0) {
      throw unsupported('Dropout2d in training is not supported');
    }
    return maybeInPlace(self, x, ops.dropout(x, self.float('p'), training));
  },
};

const layers: Readonly<Record<string, Layer>> = {
  Identity: { signature: '*args, **options', forward: identity },
  Linear: {
    signature: 'in_features, out_features, bias=True, device=None, dtype=None',
    build({ given, parameter }) {
      const [inputs, outputs] = [given.size('in_features'), given.size('out_features')];
      parameter('weight', [outputs, inputs]);
      parameter('bias', given.bool('bias') ? [outputs] : null);
    },
    forward: (x, self) => ops.linear(x, self.tensor('weight'), self.tensorOrNone('bias')),
  },
  Conv2d: {
    signature:
      "in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros', device=None, dtype=None",
    build({ given, parameter, set }) {
      const groups = given.size('groups', 1);
      const [inputs, outputs] = [given.size('in_channels', 1), given.size('out_channels', 1)];
      if (inputs % groups !== 0 || outputs % groups !== 0) {
        throw raised(
          'ValueError',
          `Conv2d: in_channels ${inputs} and out_channels ${outputs} must be divisible by groups ${groups}`,
        );
      }
      const kernel = given.pair('kernel_size', 1);
      const stride = given.pair('stride', 1);
      const dilation = given.pair('dilation', 1);
      const padding = convolutionPadding(given, kernel, stride, dilation);
      refusePaddingMode(given);
      set('kernel_size', pairValue(kernel));
      set('stride', pairValue(stride));
      set('dilation', pairValue(dilation));
      if (typeof given.value('padding') !== 'string') set('padding', pairValue(padding));
      parameter('weight', [outputs, inputs / groups, ...kernel]);
      parameter('bias', given.bool('bias') ? [outputs] : null);
    },
    forward(x, self) {
      refusePaddingMode(self);
      const stride = self.pair('stride', 1);
      const dilation = self.pair('dilation', 1);
      const weight = self.tensor('weight');
      const kernel: Pair = [weight.shape[2] ?? 1, weight.shape[3] ?? 1];
      return ops.conv2d(x, weight, self.tensorOrNone('bias'), {
        stride,
        dilation,
        padding: convolutionPadding(self, kernel, stride, dilation),
        groups: self.size('groups', 1),
      });
    },
  },
  BatchNorm1d: batchNorm([2, 3], '2-d or 3-d'),
  BatchNorm2d: batchNorm([4], '4-d'),
  ReLU: { signature: 'inplace=False', forward: (x, self) => maybeInPlace(self, x, ops.relu(x)) },
  MaxPool2d: {
    signature:
      'kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False',
    build({ given, set }) {
      if (given.value('stride') === null) set('stride', given.value('kernel_size'));
    },
    forward: (x, self) => maxPool(self, x),
  },
  AdaptiveAvgPool2d: {
    signature: 'output_size',
    forward: (x, self) => ops.adaptiveAvgPool2d(x, adaptiveSize(self)),
  },
  Dropout: {
    signature: 'p=0.5, inplace=False',
    build({ given }) {
      const p = given.float('p');
      if (p < 0 || p > 1) {
        throw raised('ValueError', `Dropout: p has to be between 0 and 1, not ${p}`);
      }
    },
    forward: (x, self) =>
      maybeInPlace(self, x, ops.dropout(x, self.float('p'), self.bool('training'))),
  },
  Dropout2d: channelDropout,
  Flatten: {
    signature: 'start_dim=1, end_dim=-1',
    forward: (x, self) => ops.flatten(x, self.int('start_dim'), self.int('end_dim')),
  },
  Softmax: softmax('softmax'),
  LogSoftmax: softmax('log_softmax'),
};

function refusePaddingMode(given: Given): void {
  const mode = given.value('padding_mode');
  if (mode !== 'zeros')
    throw unsupported(`Conv2d: padding_mode "${String(mode)}" is not supported`);
}

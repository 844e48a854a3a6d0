/** The modules `torch`, `torch.nn`, `torch.nn.functional` and `torch.nn.init` of one run. */
import { PyTuple } from '../python/collections.ts';
import { raised, unsupported } from '../python/errors.ts';
import { NativeFunction } from '../python/functions.ts';
import { library } from '../python/libraries.ts';
import { PyModule } from '../python/modules.ts';
import type { PyValue } from '../python/object.ts';
import { bindArguments, signatureFromText } from '../python/signature.ts';
import { Given } from './arguments.ts';
import { containerClasses } from './containers.ts';
import { creatorFunctions } from './create.ts';
import { dtypeNames, PyDevice } from './dtypes.ts';
import { copyOf } from './emit.ts';
import { functionalOps, tensorOps, torchOps } from './functional/index.ts';
import { layerClasses } from './layer.ts';
import { initFunctions } from './init.ts';
import { tensorProtocol } from './methods.ts';
import { natives } from './natives.ts';
import { moduleClass } from './module_class.ts';
import { einops } from './einops.ts';
import { layerFamilies, tools } from './tools.ts';
import type { Session } from './session.ts';
import { PyTensor, type TensorProtocol } from './tensor.ts';

/** Files of `torch.nn.modules`. */
const layerFiles =
  'activation adaptive batchnorm container conv distance dropout linear loss module normalization pooling rnn sparse transformer upsampling'.split(
    ' ',
  );

export interface Torch {
  readonly libraries: ReadonlyMap<string, PyValue>;
  readonly protocol: TensorProtocol;
}

export function createTorch(session: Session): Torch {
  const protocol = tensorProtocol((_interpreter, _cls, args) => {
    const signature = signatureFromText('data=None, requires_grad=True');
    return makeParameter(
      new Given('Parameter', bindArguments('Parameter', signature, args).values),
    );
  });
  const module = moduleClass(session);
  const functional = new PyModule(
    'torch.nn.functional',
    natives('torch.nn.functional.', functionalOps),
    true,
    session.written.in('torch.nn.functional'),
  );
  const written = session.written.in('torch.nn');
  const init = new PyModule('torch.nn.init', initFunctions(), true);
  const nn = new PyModule(
    'torch.nn',
    new Map<string, PyValue>([
      ['Module', module],
      ['Parameter', protocol.parameterClass],
      ['functional', functional],
      ['init', init],
      ...layerClasses(session, protocol, module),
      ...containerClasses(module),
    ]),
    true,
    written,
  );
  const parameter = library('torch.nn.parameter', {}, [['Parameter', protocol.parameterClass]]);
  const cuda = library('torch.cuda', {
    is_available: ['', () => false],
    device_count: ['', () => 0n],
  });
  const parametrizations = new PyModule(
    'torch.nn.utils.parametrizations',
    new Map(),
    true,
    session.written.in('torch.nn.utils.parametrizations'),
  );
  const rnn = library('torch.nn.utils.rnn', {
    pack_padded_sequence: ['input, lengths, batch_first=False, enforce_sorted=True', packed],
    pack_sequence: ['sequences, enforce_sorted=True', packed],
    pad_packed_sequence: [
      'sequence, batch_first=False, padding_value=0.0, total_length=None',
      packed,
    ],
  });
  const utilities = new PyModule(
    'torch.nn.utils',
    new Map([
      ['parametrizations', parametrizations],
      ['rnn', rnn],
    ]),
    true,
    session.written.in('torch.nn.utils'),
  );
  nn.names.set('parameter', parameter);
  nn.names.set('utils', utilities);
  const extra = tools(session);
  const torch = new PyModule(
    'torch',
    new Map<string, PyValue>([
      ...natives('torch.', { ...tensorOps, ...torchOps }),
      ...dtypeNames(),
      ...creatorFunctions({ session, protocol }),
      ['nn', nn],
      ['cuda', cuda],
      ['Tensor', protocol.tensorClass],
      [
        'Size',
        new NativeFunction('torch.Size', 'sizes', (_, { values }) => size(values.get('sizes')!)),
      ],
      [
        'device',
        new NativeFunction('torch.device', "type='cpu', index=None", (_, { values }) =>
          device(values),
        ),
      ],
      ['manual_seed', manualSeed(session)],
      [
        'is_tensor',
        new NativeFunction(
          'torch.is_tensor',
          'obj',
          (_, { values }) => values.get('obj') instanceof PyTensor,
        ),
      ],
      ...extra.names,
    ]),
    true,
    session.written.in('torch'),
  );
  const modules = [
    torch,
    nn,
    functional,
    init,
    parameter,
    utilities,
    parametrizations,
    rnn,
    cuda,
    ...extra.modules,
  ];
  const libraries = new Map<string, PyValue>(modules.map((item) => [item.name, item]));
  // `torch.nn.modules.conv.Conv2d` is `torch.nn.Conv2d`, and so are the names of its other files.
  const within = new Map([...nn.names, ...layerFamilies(nn)]);
  for (const name of layerFiles) {
    const path = `torch.nn.modules.${name}`;
    libraries.set(path, new PyModule(path, within, true, written));
  }
  const layerModules = new Map([
    ...within,
    ...layerFiles.map((name) => [name, libraries.get(`torch.nn.modules.${name}`)!] as const),
  ]);
  nn.names.set('modules', new PyModule('torch.nn.modules', layerModules, true, written));
  libraries.set('torch.nn.modules', nn.names.get('modules')!);
  for (const [name, value] of einops(module, torch)) libraries.set(name, value);
  return { libraries, protocol };
}

/** The steps of a packed batch depend on numbers that only a run has. */
function packed(): never {
  throw unsupported(
    'packed sequences are not supported: give the padded batch itself; where all lengths are equal, \
the numbers are the same',
  );
}

function size(value: PyValue): PyTuple {
  return new PyTuple(
    new Given('Size', new Map([['sizes', value]])).ints('sizes').map(BigInt),
    'torch.Size',
  );
}

function device(values: ReadonlyMap<string, PyValue>): PyDevice {
  const type = values.get('type')!;
  if (type instanceof PyDevice) return type;
  if (typeof type !== 'string') throw raised('TypeError', 'device: the type must be a str');
  return new PyDevice(type);
}

/** `nn.Parameter(torch.zeros(3))`. */
function makeParameter(given: Given): PyTensor {
  const data = given.value('data');
  if (!(data instanceof PyTensor)) {
    throw data === null
      ? unsupported('nn.Parameter without data is not supported')
      : raised('TypeError', 'Parameter: data must be a tensor');
  }
  data.session.buildOnly('nn.Parameter');
  if (data.isParameter) {
    throw unsupported('nn.Parameter of another parameter is not supported');
  }
  if (data.dtype !== 'float32') {
    throw unsupported(`nn.Parameter of dtype ${data.dtype} is not supported`);
  }
  return new PyTensor(data, data.shape, data.dtype, {
    isParameter: true,
    requiresGrad: given.bool('requires_grad'),
    madeBy: data.madeBy,
    value: data.value,
    view: {
      base: data,
      take: () => copyOf(data),
      put: (value) => value,
      isInOrder: data.isInOrder,
    },
  });
}

function manualSeed(session: Session): PyValue {
  return new NativeFunction('torch.manual_seed', 'seed', (_, { values }) => {
    const seed = values.get('seed')!;
    if (typeof seed !== 'bigint') throw raised('TypeError', 'manual_seed: the seed must be an int');
    session.draws.reseed(seed);
    return null;
  });
}

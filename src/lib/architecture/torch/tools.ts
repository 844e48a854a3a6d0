/**
 * What `torch` has besides tensors and layers: annotations for its compilers, contexts for
 * gradients, checkpoints of memory. In a graph they change nothing, or are refused.
 */
import { raised, unsupported } from '../python/errors.ts';
import { call, NativeFunction } from '../python/functions.ts';
import type { Interpreter } from '../python/interpreter.ts';
import { NullContext } from '../python/libraries/inert.ts';
import { PyTuple } from '../python/collections.ts';
import { library, PyModule, type Functions } from '../python/modules.ts';
import { PyObject, type CallArguments, type PyValue } from '../python/object.ts';
import { str, truth } from '../python/operators.ts';
import type { Session } from './session.ts';

/** Gives back what it is handed: a decorator without effect. */
const identity = [
  'value, *args, **options',
  (_, { values }) => values.get('value')!,
] as Functions[string];

const nothing = ['*args, **options', () => null] as Functions[string];

/**
 * `torch.no_grad()`: around initialisation and in evaluation it changes nothing; in training it
 * would change gradients. It is a decorator too.
 */
class GradMode extends PyObject {
  readonly typeName = 'no_grad';
  readonly #session: Session;
  constructor(session: Session) {
    super();
    this.#session = session;
  }
  override enterContext(): PyValue {
    if (this.#session.tracer?.training) {
      throw unsupported('torch.no_grad in forward is not supported in training');
    }
    return this;
  }
  override call(_interpreter: Interpreter, args: CallArguments): PyValue {
    const [callee] = args.positional;
    if (callee === undefined) throw raised('TypeError', 'no_grad() needs a function');
    return new NativeFunction('no_grad', '*args, **keywords', (i, { rest, keywords }) => {
      this.enterContext();
      return call(i, callee, { positional: rest, keywords });
    });
  }
}

function gradModes(session: Session): Functions {
  const mode = new GradMode(session);
  const noGrad: Functions[string] = [
    'function=None',
    (interpreter, { values }) => {
      const callee = values.get('function')!;
      return callee === null
        ? mode
        : mode.call(interpreter, { positional: [callee], keywords: new Map() });
    },
  ];
  return {
    no_grad: noGrad,
    inference_mode: ['mode=True', () => mode],
    enable_grad: ['', () => new NullContext(null)],
    set_grad_enabled: [
      'mode',
      (i, { values }) => (truth(i, values.get('mode')!) ? new NullContext(null) : mode),
    ],
  };
}

/** `torch.jit` and `torch.fx`: nothing is compiled here. */
function compilers(): PyModule[] {
  const jit = library('torch.jit', {
    script: identity,
    ignore: ['value=None, *args, **options', (_, { values }) => decorator(values.get('value')!)],
    export: identity,
    unused: identity,
    script_method: identity,
    interface: identity,
    _overload: identity,
    _overload_method: identity,
    _script_if_tracing: identity,
    script_if_tracing: identity,
    annotate: ['type, value', (_, { values }) => values.get('value')!],
    is_scripting: ['', () => false],
    is_tracing: ['', () => false],
  });
  jit.names.set('Final', new PyTuple([]));
  const fx = library('torch.fx', { wrap: identity });
  return [jit, fx];
}

/** `@ignore` and `@ignore()`. */
function decorator(value: PyValue): PyValue {
  return value === null ? new NativeFunction('decorator', ...identity) : value;
}

/** `torch.utils.checkpoint.checkpoint(function, *args)`: memory is not traded for time here. */
function checkpoints(): PyModule {
  return library('torch.utils.checkpoint', {
    checkpoint: [
      'function, *args, use_reentrant=None, preserve_rng_state=True, context_fn=None, determinism_check=None, debug=False, **keywords',
      (i, { values, rest, keywords }) =>
        call(i, values.get('function')!, { positional: rest, keywords }),
    ],
  });
}

/** The sizes of `torch.nn.modules.utils._pair`. */
function ntuple(count: number): Functions[string] {
  return [
    'x',
    (_, { values }) => {
      const x = values.get('x')!;
      return x instanceof PyTuple ? x : new PyTuple(Array.from({ length: count }, () => x));
    },
  ];
}

/** Automatic mixed precision: off, or refused. */
const autocast: Functions[string] = [
  'device_type=None, dtype=None, enabled=True, cache_enabled=None',
  (i, { values }) => {
    const [device, enabled] = [values.get('device_type')!, values.get('enabled')!];
    if (!truth(i, enabled) || device === false || device === 'cuda') return new NullContext(null);
    throw unsupported('torch.autocast is not supported');
  },
];

/** Names for `torch` itself, and further modules by their dotted names. */
export function tools(session: Session): { names: Map<string, PyValue>; modules: PyModule[] } {
  const checkpoint = checkpoints();
  const utils = new PyModule('torch.utils', new Map([['checkpoint', checkpoint]]), true);
  const backends = library('torch.backends', {});
  const compiled = compilers();
  const main = library('torch', {
    ...gradModes(session),
    autocast,
    compile: ['model=None, *args, **options', (_, { values }) => decorator(values.get('model')!)],
    set_float32_matmul_precision: nothing,
    _assert: [
      'condition, message',
      (i, { values }) => {
        if (truth(i, values.get('condition')!)) return null;
        throw raised('AssertionError', str(i, values.get('message')!));
      },
    ],
  });
  main.names.set('__version__', '2.13.0');
  main.names.set('_C', library('torch._C', { _log_api_usage_once: nothing }));
  for (const module of [...compiled, utils, backends]) {
    main.names.set(module.name.split('.').at(-1)!, module);
  }
  const sizes = library('torch.nn.modules.utils', {
    _single: ntuple(1),
    _pair: ntuple(2),
    _triple: ntuple(3),
    _quadruple: ntuple(4),
  });
  return { names: main.names, modules: [...compiled, utils, checkpoint, backends, sizes] };
}

/** Base classes of `torch.nn.modules` that sources only ask with `isinstance`. */
export function layerFamilies(nn: PyModule): Map<string, PyValue> {
  const all = (...names: string[]): PyTuple =>
    new PyTuple(names.flatMap((name) => nn.names.get(name) ?? []));
  const byRank = (name: string): string[] => [1, 2, 3].map((rank) => `${name}${rank}d`);
  return new Map<string, PyValue>([
    ['_BatchNorm', all(...byRank('BatchNorm'), 'SyncBatchNorm')],
    ['_NormBase', all(...byRank('BatchNorm'), ...byRank('InstanceNorm'))],
    ['_InstanceNorm', all(...byRank('InstanceNorm'))],
    ['_ConvNd', all(...byRank('Conv'), ...byRank('ConvTranspose'))],
    ['_ConvTransposeNd', all(...byRank('ConvTranspose'))],
  ]);
}

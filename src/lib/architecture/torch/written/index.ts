/**
 * What of torch is put together of other parts of it, and reads best as Python: short sources of our
 * own, which the evaluator of the user's files reads when a name of theirs is first asked for. In a
 * message or in the graph, the line is that of the code which called them.
 */
import { unsupported } from '../../python/errors.ts';
import { BoundMethod, NativeFunction } from '../../python/functions.ts';
import { shimFile } from '../../python/interpreter.ts';
import type { Later } from '../../python/modules.ts';
import type { PyValue } from '../../python/object.ts';
import { parseFile, type ParsedFile } from '../../python/parse.ts';
import { Scope } from '../../python/scope.ts';
import { execute } from '../../python/statements.ts';
import type { Session } from '../session.ts';
import type { PyTensor } from '../tensor.ts';
import containers from './containers.py?raw';
import distances from './distances.py?raw';
import functions from './functions.py?raw';
import images from './images.py?raw';
import losses from './losses.py?raw';
import norms from './norms.py?raw';
import parametrizations from './parametrizations.py?raw';
import pools from './pools.py?raw';
import tensors from './tensors.py?raw';
import transformer from './transformer.py?raw';

/** Where the names of a source are found: classes in `torch.nn` always, functions as this says. */
export type Place =
  | 'torch'
  | 'torch.nn'
  | 'torch.nn.functional'
  | 'torch.nn.utils'
  | 'torch.nn.utils.parametrizations';

const sources: readonly (readonly [name: string, text: string, functions: readonly Place[]])[] = [
  ['containers', containers, []],
  ['distances', distances, ['torch', 'torch.nn.functional']],
  ['functions', functions, ['torch']],
  ['images', images, ['torch.nn.functional']],
  ['losses', losses, ['torch.nn.functional']],
  ['norms', norms, ['torch.nn.utils']],
  ['parametrizations', parametrizations, ['torch.nn.utils.parametrizations']],
  ['pools', pools, ['torch.nn.functional']],
  ['tensors', tensors, ['torch']],
  ['transformer', transformer, []],
];

/** A class, a function, or a second name, at the top level. */
const definition = /^(?:(class|def) (\w+)|([a-z]\w*) = )/gm;

/** File of a public name, by the place that it is found at. */
const files = new Map<string, string>();
for (const [file, text, functions] of sources) {
  for (const [, kind, name, alias] of text.matchAll(definition)) {
    const places: readonly Place[] = kind === 'class' ? ['torch.nn'] : functions;
    for (const place of places) files.set(`${place}.${name ?? alias}`, file);
  }
}

/** All of them, wherever they are found. */
export function publicNames(): string[] {
  const names = [...files.keys()].map((key) => key.slice(key.lastIndexOf('.') + 1));
  return [...new Set(names)].filter((name) => !name.startsWith('_'));
}

/** Read once; what is made of them is each run's own. */
const parsed = new Map<string, ParsedFile>();

function parsedFile(file: string): ParsedFile {
  const known = parsed.get(file);
  if (known) return known;
  const [, text] = sources.find(([name]) => name === file)!;
  const read = parseFile(shimFile(file), text);
  parsed.set(file, read);
  return read;
}

/** The names of one run. */
export class Written {
  readonly #session: Session;
  readonly #scopes = new Map<string, Scope>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** What a module of the shim finds here. */
  in(place: Place): Later {
    const prefix = `${place}.`;
    const names = [...files.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length))
      .filter((name) => !name.includes('.'));
    return { names, get: (name) => this.at(place, name) };
  }

  /** The class or function of that name at a place; undefined where there is none. */
  at(place: Place, name: string): PyValue | undefined {
    const file = files.get(`${place}.${name}`);
    return file === undefined ? undefined : this.#load(file).names.get(name);
  }

  /** A function of `torch` that takes a tensor first, as a method of that tensor. */
  method(tensor: PyTensor, name: string): PyValue | undefined {
    const found = files.get(`torch.${name}`) === 'tensors' ? this.at('torch', name) : undefined;
    return found === undefined ? undefined : new BoundMethod(tensor, found);
  }

  #load(file: string): Scope {
    const known = this.#scopes.get(file);
    if (known) return known;
    const scope = new Scope('module', this.#session.interpreter.environment.builtins);
    this.#scopes.set(file, scope);
    scope.names.set('__name__', `torch.${file}`);
    scope.names.set('unsupported', refuse);
    this.run(parsedFile(file), scope);
    return scope;
  }

  /** Runs another source of our own. */
  run({ name, body }: ParsedFile, scope: Scope): void {
    const { interpreter } = this.#session;
    const frame = { file: name, line: 0, scope, self: undefined };
    interpreter.within(frame, () => {
      for (const statement of body) execute(interpreter, statement, scope);
    });
  }
}

/** `unsupported('…')`: what PyTorch can do and the lab cannot. */
const refuse = new NativeFunction('unsupported', 'message', (_, { values }) => {
  throw unsupported(String(values.get('message')));
});

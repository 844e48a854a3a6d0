/**
 * Text as a data set for language models: the files one behind the other, as tokens of a tokenizer
 * or as characters, in windows of so many tokens, each file encoded by itself; the target of each token is the next one. Texts
 * are read as Python's `open(path, encoding='utf-8')` reads them, with every line break as `\n`.
 */
import { listed } from '#lib/formats/folder.files.ts';
import { encodeLong } from '../encode_long.ts';
import { byCodePoints } from '../python_order.ts';
import type { Tokenizer } from '../tokenizer.ts';
import { DataError } from './choices.ts';
import type { Dataset, Examples } from './dataset.ts';
import { checkIndices } from './examples.ts';
import type { DataMember, Given, Reading } from './given.ts';
import { partsOf } from './parts.ts';
import { integerRows, rangeRows } from './rows.ts';
import { TokenWriter, type Tokens } from './text.tokens.ts';

/** Tokens of a window where nothing is wished, and how many windows there are to be at least. */
const BLOCK = 64;
const LEAST_WINDOWS = 10;
/** Characters of a file for a tokenizer: minutes of work. */
const MAX_TOKENIZED = 2 ** 25;

/** Turns texts into tokens, all with the same vocabulary. */
interface Encoder {
  readonly vocabulary: number;
  readonly characters: readonly string[] | null;
  encode(file: DataMember, out: TokenWriter, signal?: AbortSignal): Promise<void>;
}

/** Throws a FindingError that names the file. */
export async function readText(given: Given): Promise<Reading> {
  const { files, wish, tools, signal } = given;
  const { train, held, unused } = partsOf(files, wish);
  const encoder = tools.tokenizer
    ? byTokenizer(tools.tokenizer)
    : byCharacters(await charactersOf(train, signal));
  const tokensOf = async (members: readonly DataMember[]) => {
    const writer = new TokenWriter(encoder.vocabulary);
    for (const member of members) await encoder.encode(member, writer, signal);
    return writer.finish();
  };
  const trained = await tokensOf(train);
  const { characters, vocabulary } = encoder;
  const choices = { kind: 'text', tokens: trained.count, characters } as const;
  const block = wish.text?.block ?? blockOf(trained.count);
  const stride = wish.text?.stride ?? block;
  const open = (tokens: Tokens, members: readonly DataMember[]) => {
    const examples = windowsOf(tokens, block, stride);
    if (examples) return examples;
    throw new DataError(
      `${listed(members.map(({ path }) => path))} holds ${tokens.count} tokens, a window of ${block} and the next one takes ${block + 1}`,
      'Choose a shorter window, or bring more text.',
      choices,
    );
  };
  checkWindows(block, stride);
  const dataset: Dataset = {
    name: given.name,
    input: { dtype: 'int64', shape: [block] },
    target: { kind: 'tokens', vocabulary, shape: [block] },
    train: open(trained, train),
    held: held.length > 0 ? open(await tokensOf(held), held) : null,
    recipe: {
      kind: 'text',
      files: train.map(({ path }) => path),
      held: held.map(({ path }) => path),
      ...{ block, stride, characters },
    },
    notes: [
      characters
        ? `${trained.count} characters, ${vocabulary} different ones`
        : `${trained.count} tokens of ${tools.tokenizer!.title}`,
      ...unused.map(({ path }) => `left out: ${path}`),
    ],
    fingerprint: given.fingerprint,
  };
  return { dataset, choices };
}

function blockOf(tokens: number): number {
  return Math.max(1, Math.min(BLOCK, Math.floor((tokens - 1) / LEAST_WINDOWS)));
}

function checkWindows(block: number, stride: number): void {
  for (const [name, value] of Object.entries({ block, stride })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new DataError(`the ${name} is ${value}, expected 1 or more`, 'Choose a whole number.');
  }
}

/** Windows of `block` tokens, one every `stride`; null where there is none. */
function windowsOf(tokens: Tokens, block: number, stride: number): Examples | null {
  const count = Math.floor((tokens.count - block - 1) / stride) + 1;
  if (count < 1) return null;
  // Rows of a view that overlap: each with the token behind it, which is the last target.
  const view = { ...tokens.tensor, shape: [count, block + 1], strides: [stride, 1] };
  const rows = rangeRows(view, 'the text');
  return {
    count,
    classes: null,
    async read(indices, { signal } = {}) {
      checkIndices(indices, count);
      const ids = await integerRows(rows, indices, signal);
      const inputs = new Int32Array(indices.length * block);
      const targets = new Int32Array(indices.length * block);
      for (let at = 0; at < indices.length; at++) {
        const start = at * (block + 1);
        inputs.set(ids.subarray(start, start + block), at * block);
        targets.set(ids.subarray(start + 1, start + block + 1), at * block);
      }
      return { count: indices.length, inputs, targets };
    },
  };
}

/** `sorted(set(text))`. */
async function charactersOf(files: readonly DataMember[], signal?: AbortSignal): Promise<string[]> {
  const found = new Set<string>();
  for (const file of files) {
    for await (const text of textOf(file, signal))
      for (const character of text) found.add(character);
  }
  if (found.size > 0) return [...found].sort(byCodePoints);
  throw new DataError(
    `${listed(files.map(({ path }) => path))} holds no text`,
    'Bring a text file that is not empty.',
  );
}

function byCharacters(characters: readonly string[]): Encoder {
  const ids = new Map(characters.map((character, id) => [character, id]));
  return {
    vocabulary: characters.length,
    characters,
    async encode(file, out, signal) {
      for await (const text of textOf(file, signal)) {
        const encoded = Array.from(text, (character) => {
          const id = ids.get(character);
          if (id !== undefined) return id;
          throw new DataError(
            `${file.path}: ${JSON.stringify(character)} is none of the ${ids.size} characters of the training text`,
            'Hold out a part of the training text instead, or add the text to it.',
          );
        });
        out.add(encoded);
      }
    },
  };
}

function byTokenizer(tokenizer: Tokenizer): Encoder {
  return {
    vocabulary: tokenizer.size,
    characters: null,
    async encode(file, out, signal) {
      let whole = '';
      for await (const text of textOf(file, signal)) {
        whole += text;
        if (whole.length > MAX_TOKENIZED) {
          throw new DataError(
            `${file.path} holds more than the ${MAX_TOKENIZED} characters that are tokenized of a file`,
            'Cut the file at chapters or documents into several.',
          );
        }
      }
      for await (const ids of encodeLong(tokenizer, whole, signal)) out.add(ids);
    },
  };
}

/** A file's text in pieces, with line breaks as Python has them. Throws where it is not UTF-8. */
async function* textOf({ path, open }: DataMember, signal?: AbortSignal): AsyncGenerator<string> {
  const file = await open();
  const decoder = new TextDecoderStream('utf-8', { fatal: true, ignoreBOM: true });
  const reader = file.stream().pipeThrough(decoder).getReader();
  let isReturn = false;
  for (;;) {
    signal?.throwIfAborted();
    const { done, value = '' } = await reader.read().catch((error: unknown) => {
      if (!(error instanceof TypeError)) throw error;
      throw new DataError(`${path} is not UTF-8`, 'Save the text in UTF-8.');
    });
    const text: string = (isReturn ? '\r' : '') + value;
    isReturn = !done && text.endsWith('\r'); // half of a break, maybe
    yield (isReturn ? text.slice(0, -1) : text).replace(/\r\n?/g, '\n');
    if (done) return;
  }
}

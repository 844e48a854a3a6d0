/**
 * Vocabularies that small models keep themselves: a number for each character, or for each word,
 * as a dict or a list. nanoGPT's `meta.pkl` holds `stoi` and `itos`, others call them `chars`,
 * `vocab`, `char2idx` or `word2idx`; they lie at the top of a checkpoint or one dict below.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { isDict, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { endingsOf, tokenizerError, type Tokenizer } from './tokenizer.ts';

/** From token to id, and from id to token: the names that training scripts use. */
const TO_ID = ['stoi', 'char2idx', 'char_to_idx', 'char_to_ix', 'char2id', 'word2idx', 'token2idx'];
const TO_TOKEN = [
  'itos',
  'idx2char',
  'idx_to_char',
  'ix_to_char',
  'id2char',
  'idx2word',
  'idx2token',
];
/** A string or a list of tokens in the order of their ids, or a dict either way. */
const EITHER = ['chars', 'characters', 'alphabet', 'vocab', 'vocabulary', 'tokens'];
/** Dicts of a checkpoint that may hold one of them. */
const PLACES = ['meta', 'config', 'args', 'model_args', 'tokenizer', 'dictionary', 'vocab'];
/** What stands for words that the vocabulary lacks. */
const UNKNOWN = ['<unk>', '<UNK>', '[UNK]', 'UNK'];
/** No published vocabulary has more; a list of this size is still quick to read. */
const MAX_TOKENS = 2 ** 21;

/** The vocabulary that a checkpoint holds; null where there is none. `origin` names it for people. */
export function findVocabulary(root: Value, origin: string): Tokenizer | null {
  if (!isDict(root)) return null;
  const places = [root, ...PLACES.map((name) => root.get(name))].filter(isDict);
  for (const place of places) {
    for (const name of [...TO_ID, ...TO_TOKEN, ...EITHER]) {
      const tokens = tokensOf(place.get(name));
      if (tokens) return vocabulary(tokens, `${origin}: ${name}`);
    }
  }
  return null;
}

/**
 * A text file with every character once, in the order of their ids. Editors end files with a line
 * break: one that is there twice counts once.
 */
export function charactersFile(text: string, origin: string): Tokenizer {
  const characters = [...text];
  const distinct = new Set(characters);
  if (distinct.size !== characters.length && text.endsWith('\n')) characters.pop();
  if (distinct.size !== characters.length || characters.length === 0) {
    throw tokenizerError(
      `${origin} holds characters twice, expected every character of the vocabulary once`,
      'Write the characters in the order of their ids, with nothing between them.',
    );
  }
  return vocabulary(new Map(characters.map((token, id) => [token, id])), origin);
}

/** Ids by token, if that is what the value holds. */
function tokensOf(value: Value | undefined): Map<string, number> | null {
  if (typeof value === 'string') return listed([...value]);
  if (isDict(value)) return mapped(value);
  if (typeof value !== 'object' || value === null) return null;
  return value.kind === 'list' || value.kind === 'tuple' ? listed(value.items) : null;
}

function listed(items: readonly Value[]): Map<string, number> | null {
  if (items.length === 0 || items.length > MAX_TOKENS) return null;
  if (!items.every((item) => typeof item === 'string')) return null;
  const ids = new Map(items.map((token, id) => [token as string, id]));
  return ids.size === items.length ? ids : null;
}

/** `{'a': 0}` as well as `{0: 'a'}`. */
function mapped(dict: Dict): Map<string, number> | null {
  if (dict.size === 0 || dict.size > MAX_TOKENS) return null;
  const ids = new Map<string, number>();
  for (const [key, item] of dict.entries()) {
    const [token, id] = typeof key === 'string' ? [key, item] : [item, key];
    if (typeof token !== 'string' || typeof id !== 'bigint' || id < 0n) return null;
    ids.set(token, Number(id));
  }
  return ids.size === dict.size ? ids : null;
}

/** A tokenizer by characters; by words between blanks where a token has several characters. */
export function vocabulary(ids: ReadonlyMap<string, number>, origin: string): Tokenizer {
  const tokens = new Map([...ids].map(([token, id]) => [id, token]));
  const unknown = UNKNOWN.map((token) => ids.get(token)).find((id) => id !== undefined);
  const named = (token: string) => /^(<.+>|\[.+\])$/.test(token);
  const isWords = [...ids.keys()].some((token) => !named(token) && [...token].length > 1);
  const what = isWords ? 'words' : 'characters';
  const idOf = (token: string) => {
    const id = ids.get(token) ?? unknown;
    if (id !== undefined) return id;
    throw new FindingError({
      code: 'text-unknown',
      message: `text: ${JSON.stringify(token)} is none of the ${ids.size} ${what} of ${origin}`,
      advice: 'Write the text with what the model was trained on.',
    });
  };
  return {
    title: `${ids.size} ${what}, from ${origin}`,
    size: Math.max(...tokens.keys()) + 1,
    endings: endingsOf((token) => ids.get(token)),
    encode: (text) => (isWords ? text.split(/\s+/).filter(Boolean) : [...text]).map(idOf),
    decode: (numbers) => numbers.map((id) => tokens.get(id) ?? `<${id}>`).join(isWords ? ' ' : ''),
  };
}

/**
 * Tokenizers of subwords by Hugging Face's library for JavaScript. It takes a `tokenizer.json`;
 * older models have its parts in files of their own, from which one is put together here, with
 * the settings that transformers gives GPT-2 and BERT.
 *
 * Where the library answers `undefined`, for an id that does not exist, that is made an error here.
 * What BPE without a token for unknown text does not know, it leaves out, as Python's does.
 */
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { endingsOf, tokenizerError, TOKENIZER_FILES, type Tokenizer } from './tokenizer.ts';

/** Gemma's, the largest of the published ones, has 33 MB. */
const MAX_CHARACTERS = 2 ** 27;
/** The library takes other types for something else than they are. */
const MODELS = ['BPE', 'WordPiece', 'Unigram'];

/** Reads a `tokenizer.json`. Throws a FindingError that says what is wrong with it. */
export function tokenizerJson(text: string, origin: string): Tokenizer {
  const content = parse(text, origin);
  if (!isObject(content.model)) {
    throw tokenizerError(`${origin} holds no "model"`, TOKENIZER_FILES);
  }
  const { type = 'BPE' } = content.model; // files from before types were written are GPT-2's
  if (!MODELS.includes(type as string)) {
    throw tokenizerError(
      `${origin} is of type ${JSON.stringify(type)}, read are ${MODELS.join(', ')}`,
      TOKENIZER_FILES,
    );
  }
  return build({ ...content, model: { ...content.model, type } }, origin);
}

/** GPT-2's `vocab.json` and `merges.txt`: byte-level BPE. */
export function gpt2Tokenizer(vocabJson: string, merges: string, origin: string): Tokenizer {
  const vocab = parse(vocabJson, origin);
  const rules = merges.split('\n').filter((line) => line !== '' && !line.startsWith('#version'));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true };
  return build(
    {
      added_tokens: ['<|endoftext|>', '<s>', '</s>', '<unk>', '<pad>', '<mask>']
        .filter((token) => Object.hasOwn(vocab, token))
        .map((token) => special(token, vocab[token])),
      normalizer: null,
      pre_tokenizer: { ...byteLevel, use_regex: true },
      post_processor: null,
      decoder: byteLevel,
      model: { type: 'BPE', vocab, merges: rules, unk_token: null },
    },
    origin,
  );
}

/** BERT's `vocab.txt`, a token on each line: WordPiece. One without capitals is for lower case. */
export function bertTokenizer(vocabText: string, origin: string): Tokenizer {
  const lines = vocabText.replace(/\r/g, '').replace(/\n$/, '').split('\n');
  const ids = new Map(lines.map((token, id) => [token, id]));
  const lowercase = !lines.some((token) => /\p{Lu}/u.test(token) && !/^\[.*\]$/.test(token));
  const [unknown, start, end] = ['[UNK]', '[CLS]', '[SEP]'].map((token) => {
    const id = ids.get(token);
    if (id !== undefined) return [token, id] as const;
    throw tokenizerError(`${origin} has no token ${token}`, TOKENIZER_FILES);
  }) as [[string, number], [string, number], [string, number]];
  return build(
    {
      added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
        .filter((token) => ids.has(token))
        .map((token) => special(token, ids.get(token))),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: { type: 'BertProcessing', cls: start, sep: end },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: unknown[0],
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(ids),
      },
    },
    origin,
  );
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string, origin: string): JsonObject {
  if (text.length > MAX_CHARACTERS) {
    throw tokenizerError(`${origin} has more than ${MAX_CHARACTERS} characters`, TOKENIZER_FILES);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw tokenizerError(`${origin} is no JSON: ${messageOf(error)}`, TOKENIZER_FILES);
  }
  if (isObject(value)) return value;
  throw tokenizerError(`${origin} holds no object`, TOKENIZER_FILES);
}

function special(content: string, id: unknown): object {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return { id, content, special: true, ...plain };
}

function build(content: JsonObject, origin: string): Tokenizer {
  const complete = { added_tokens: [], normalizer: null, pre_tokenizer: null, ...content };
  const library = understood(origin, () => {
    return new Library({ post_processor: null, decoder: null, ...complete }, {});
  });
  const size = library.model!.vocab.length;
  return {
    title: `${size} tokens, from ${origin}`,
    size,
    endings: endingsOf((token) => library.token_to_id(token)),
    encode(text) {
      if (text === '') return [];
      const { ids, tokens } = understood(origin, () => library.encode(text));
      const missing = ids.findIndex((id) => !Number.isInteger(id));
      if (missing === -1) return ids;
      throw tokenizerError(
        `${JSON.stringify(tokens[missing])} is not in the vocabulary of ${origin}`,
        TOKENIZER_FILES,
      );
    },
    decode(ids) {
      if (ids.length === 0) return '';
      const named = ids.find((id) => library.id_to_token(id) === undefined);
      if (named !== undefined) {
        throw tokenizerError(
          `the model gave the token ${named}, ${origin} ends at ${size - 1}`,
          'Use the tokenizer that the model was trained with.',
        );
      }
      return understood(origin, () =>
        library.decode([...ids], { clean_up_tokenization_spaces: false }),
      );
    },
  };
}

/** The library's refusals name no file; what it cannot read fails with a TypeError. */
function understood<T>(origin: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw tokenizerError(`${origin}: ${messageOf(error)}`, TOKENIZER_FILES);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

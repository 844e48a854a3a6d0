/**
 * From text to token ids and back. A tokenizer comes from the files that people have beside their
 * checkpoints: Hugging Face's `tokenizer.json`, GPT-2's `vocab.json` with `merges.txt`, BERT's
 * `vocab.txt`, or the vocabulary that small models keep themselves, in the checkpoint or a
 * `meta.pkl`. The first three are read by Hugging Face's own library in `tokenizer.subwords.ts`,
 * loaded with the first of them; the last are a few lines in `tokenizer.vocabulary.ts`.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';

export interface Tokenizer {
  /** One line for people: `65 characters, from meta.pkl`. */
  readonly title: string;
  /** Ids are below this. */
  readonly size: number;
  /** Ids that end a text: generation stops after one of them. */
  readonly endings: readonly number[];
  /** Ids with the special tokens that the tokenizer adds. Throws a FindingError. */
  encode(text: string): number[];
  /** The text of ids, special tokens included. */
  decode(ids: readonly number[]): string;
}

/** Tokens that end a text, as published tokenizers spell them. */
const ENDINGS = [
  '<|endoftext|>',
  '<|end_of_text|>',
  '<|im_end|>',
  '<|eot_id|>',
  '<end_of_turn>',
  '</s>',
  '<eos>',
  '<EOS>',
  '[EOS]',
];

export function endingsOf(idOf: (token: string) => number | undefined): number[] {
  return ENDINGS.flatMap((token) => idOf(token) ?? []);
}

export function tokenizerError(message: string, advice: string): FindingError {
  return new FindingError({
    code: 'tokenizer-unsuitable',
    message: `tokenizer: ${message}`,
    advice,
  });
}

/** What may be dropped, in one sentence. */
export const TOKENIZER_FILES =
  'Drop tokenizer.json, vocab.json with merges.txt, BERT’s vocab.txt, or a meta.pkl with stoi and itos.';

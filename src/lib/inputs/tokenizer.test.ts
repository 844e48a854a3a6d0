import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dict, dict, list, type Value } from '#lib/checkpoint/value.ts';
import { encodeLong } from './encode_long.ts';
import type { Tokenizer } from './tokenizer.ts';
import { bertTokenizer, gpt2Tokenizer, tokenizerJson } from './tokenizer.subwords.ts';
import { charactersFile, findVocabulary } from './tokenizer.vocabulary.ts';

interface Judged {
  vocab: string;
  merges: string;
  json: string;
  cases: { text: string; ids: number[]; decoded: string }[];
}

/** What Python's `tokenizers` says; see subwords.py there. */
const fixture = join(import.meta.dirname, '../../../tests/fixtures/subwords.json');
const judged = new Map<string, Judged>(
  Object.entries(JSON.parse(readFileSync(fixture, 'utf8')) as Record<string, Judged>),
);
const make: [string, (judged: Judged) => Tokenizer][] = [
  ['gpt2', ({ vocab, merges }) => gpt2Tokenizer(vocab, merges, 'vocab.json')],
  ['bert uncased', ({ vocab }) => bertTokenizer(vocab, 'vocab.txt')],
  ['bert cased', ({ vocab }) => bertTokenizer(vocab, 'vocab.txt')],
  ['unigram', ({ json }) => tokenizerJson(json, 'tokenizer.json')],
  ['llama', ({ json }) => tokenizerJson(json, 'tokenizer.json')],
];

describe.each(make)('%s is as in Python', (name, build) => {
  const tokenizer = build(judged.get(name)!);
  it.each(judged.get(name)!.cases)('$text', ({ text, ids, decoded }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
  });
});

describe('a long text', () => {
  const text = [...judged.values()].flatMap(({ cases }) => cases.map((it) => it.text)).join('\n\n');
  const words = fc.array(fc.constantFrom(...text.split(/(?<=\s)/)), {
    minLength: 30,
    maxLength: 120,
  });
  const characters = findVocabulary(dict({ chars: [...new Set(text)].join('') }), 'a')!;
  it.each<[string, Tokenizer]>([
    ...make.map(([name, build]): [string, Tokenizer] => [name, build(judged.get(name)!)]),
    ['characters', characters],
  ])('is encoded in pieces as a whole by %s', async (name, tokenizer) => {
    let pieces = 0;
    await fc.assert(
      fc.asyncProperty(words, fc.integer({ min: 1, max: 90 }), async (parts, piece) => {
        const whole = parts.join('');
        const ids: number[] = [];
        for await (const some of encodeLong(tokenizer, whole, undefined, piece)) {
          ids.push(...some);
          pieces++;
        }
        expect(ids).toEqual(tokenizer.encode(whole));
      }),
      { numRuns: 60 },
    );
    expect(pieces, name).toBeGreaterThan(120);
  });
});

const lacking = {
  model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
  post_processor: { type: 'BertProcessing', cls: ['[CLS]', 1], sep: ['a', 0] },
};

describe('files of subwords are refused', () => {
  it.each<[string, () => unknown, string]>([
    ['no JSON', () => tokenizerJson('{', 'a.json'), 'tokenizer: a.json is no JSON: '],
    ['a list', () => tokenizerJson('[]', 'a.json'), 'tokenizer: a.json holds no object'],
    ['no model', () => tokenizerJson('{}', 'a.json'), 'tokenizer: a.json holds no "model"'],
    [
      'an unknown part',
      () => tokenizerJson('{"model": {"type": "Magic", "vocab": {}}}', 'a.json'),
      'tokenizer: a.json is of type "Magic", read are BPE, WordPiece, Unigram',
    ],
    ['no [CLS]', () => bertTokenizer('[UNK]\na', 'v.txt'), 'tokenizer: v.txt has no token [CLS]'],
    [
      'a template beyond the vocabulary',
      () => tokenizerJson(JSON.stringify(lacking), 'a.json').encode('a'),
      'tokenizer: "[CLS]" is not in the vocabulary of a.json',
    ],
    [
      'ids beyond the vocabulary',
      () => gpt2Tokenizer('{"a": 0, "b": 1}', '', 'v.json').decode([2]),
      'tokenizer: the model gave the token 2, v.json ends at 1',
    ],
  ])('%s', (_, work, message) => {
    expect(work).toThrow(message);
  });
});

describe('vocabularies of small models', () => {
  const ids = dict(
    new Map<string, Value>([
      ['a', 1n],
      ['__proto__', 3n],
    ]),
  );
  it.each<[string, Value]>([
    ['stoi', dict({ stoi: dict({ a: 1n, b: 0n }) })],
    ['itos', dict({ meta: dict({ vocab_size: 2n, itos: dict() }), config: itos() })],
    ['a list', dict({ chars: list('b', 'a') })],
    ['a string', dict({ args: dict({ alphabet: 'ba' }) })],
  ])('%s', (_, root) => {
    const found = findVocabulary(root, 'ckpt.pt')!;
    expect(found.title).toMatch(/^2 characters, from ckpt\.pt: /);
    expect(found.encode('abba')).toEqual([1, 0, 0, 1]);
    expect(found.decode([0, 1])).toBe('ba');
    expect(found.size).toBe(2);
  });

  it('of words are split at blanks; what is unknown has a token or is refused', () => {
    const words = findVocabulary(dict({ word2idx: dict({ the: 0n, cat: 1n, '<eos>': 2n }) }), 'a')!;
    expect(words.encode(' the  cat')).toEqual([0, 1]);
    expect([words.decode([1, 0]), words.endings]).toEqual(['cat the', [2]]);
    expect(() => words.encode('dog')).toThrow('text: "dog" is none of the 3 words of a: word2idx');
    const tolerant = findVocabulary(dict({ vocab: list('<unk>', 'the') }), 'a')!;
    expect(tolerant.encode('the dog')).toEqual([1, 0]);
  });

  it('take names that JavaScript knows, and characters beyond 16 bits', () => {
    const found = findVocabulary(dict({ stoi: ids }), 'a')!;
    expect(found.encode('__proto__')).toEqual([3]);
    expect(charactersFile('a🙂b\n', 'c.txt').encode('🙂')).toEqual([1]);
    expect(charactersFile('\nab\n', 'c.txt').encode('b\n')).toEqual([2, 0]);
  });

  it('are told from other things of these names', () => {
    const others = dict({
      vocab: 65n,
      chars: list('a', 'a'),
      itos: dict({ a: 'b' }),
      stoi: list(),
    });
    expect(findVocabulary(others, 'a')).toBeNull();
    expect(findVocabulary(list('a'), 'a')).toBeNull();
    expect(() => charactersFile('abca', 'c.txt')).toThrow('c.txt holds characters twice');
  });
});

/** `{0: 'b', 1: 'a'}`, as nanoGPT's `itos`. */
function itos(): Value {
  return dict({
    itos: new Dict([
      [0n, 'b'],
      [1n, 'a'],
    ]),
  });
}

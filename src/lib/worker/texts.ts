/** From dropped files to a tokenizer: which file is what is decided by names and contents. */
import type { Value } from '#lib/checkpoint/value.ts';
import { openForUse } from '#lib/inputs/open_for_use.ts';
import { tokenizerError, TOKENIZER_FILES, type Tokenizer } from '#lib/inputs/tokenizer.ts';
import { charactersFile, findVocabulary } from '#lib/inputs/tokenizer.vocabulary.ts';

/** The tokenizer that the files make. Throws a FindingError that says what is expected. */
export async function openTokenizer(
  files: readonly File[],
  signal: AbortSignal,
): Promise<Tokenizer> {
  const find = (pattern: RegExp) => files.find(({ name }) => pattern.test(name));
  const merges = find(/merges.*\.txt$/i);
  const vocab = find(/vocab.*\.json$/i);
  const json = find(/\.json$/i);
  const text = find(/\.txt$/i);
  const binary = find(/\.(pkl|pickle|pt|pth|bin)$/i);
  if (merges || vocab) {
    if (!merges || !vocab) {
      throw tokenizerError(
        `${(merges ?? vocab)!.name} comes without ${merges ? 'vocab.json' : 'merges.txt'}`,
        'Choose both files together.',
      );
    }
    const { gpt2Tokenizer } = await subwords();
    return gpt2Tokenizer(await vocab.text(), await merges.text(), vocab.name);
  }
  if (json) return (await subwords()).tokenizerJson(await json.text(), json.name);
  if (text) return textFile(await text.text(), text.name);
  if (binary) return pickled(await openForUse(binary, signal), binary.name);
  throw tokenizerError(`${files[0]?.name ?? 'nothing'} is none`, TOKENIZER_FILES);
}

/** The library is loaded with the first tokenizer of subwords. */
function subwords() {
  return import('#lib/inputs/tokenizer.subwords.ts');
}

/** BERT's list of tokens, or every character once. */
async function textFile(text: string, name: string): Promise<Tokenizer> {
  return /^\[(UNK|CLS)\]$/m.test(text)
    ? (await subwords()).bertTokenizer(text, name)
    : charactersFile(text, name);
}

function pickled(root: Value, name: string): Tokenizer {
  const found = findVocabulary(root, name);
  if (found) return found;
  throw tokenizerError(`${name} holds no stoi, itos, chars or vocab`, TOKENIZER_FILES);
}

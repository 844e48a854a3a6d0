/** Fuzzy matching: `tcp` finds `Train the CheckPoint`, words may come in any order. */

export interface FuzzyMatch {
  /** Higher is better; comparable between texts for the same typed words. */
  readonly score: number;
  /** The characters of the text that answered, ascending. */
  readonly at: readonly number[];
}

/** Of one character: as such, behind the one before, and at the start of a word. */
const EACH = 1;
const BEHIND = 3;
const WORD_START = 4;
/** A long text that matches is a little worse than a short one. */
const LENGTH = 0.01;

/** How a text answers what was typed; null where it does not. Nothing typed matches everything. */
export function fuzzyMatch(typed: string, text: string): FuzzyMatch | null {
  const terms = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const at = new Set<number>();
  let score = -LENGTH * text.length;
  for (const term of terms) {
    const found = matchTerm(term, text.toLowerCase());
    if (!found) return null;
    score += found.score;
    for (const index of found.at) at.add(index);
  }
  return { score, at: [...at].sort((a, b) => a - b) };
}

/** The best way to find a term's characters in their order; scattered ones begin at a word. */
function matchTerm(term: string, text: string): FuzzyMatch | null {
  let best: FuzzyMatch | null = null;
  for (let start = text.indexOf(term[0]!); start >= 0; start = text.indexOf(term[0]!, start + 1)) {
    const found = text.startsWith(term, start)
      ? [...term].map((_, index) => start + index)
      : startsWord(text, start) && scattered(term, text, start);
    if (!found) continue;
    const score = scoreOf(found, text);
    if (!best || score > best.score) best = { score, at: found };
  }
  return best;
}

/** From a start on: the next character where it follows at once, else where it begins a word. */
function scattered(term: string, text: string, start: number): number[] | null {
  const at = [start];
  for (const character of [...term].slice(1)) {
    const next = at.at(-1)! + 1;
    if (text[next] === character) at.push(next);
    else {
      let index = text.indexOf(character, next);
      while (index >= 0 && !startsWord(text, index)) index = text.indexOf(character, index + 1);
      if (index < 0) return null;
      at.push(index);
    }
  }
  return at;
}

function scoreOf(at: readonly number[], text: string): number {
  return at.reduce((sum, index, place) => {
    const behind = place > 0 && at[place - 1] === index - 1 ? BEHIND : 0;
    return sum + EACH + Math.max(behind, startsWord(text, index) ? WORD_START : 0);
  }, 0);
}

function startsWord(text: string, index: number): boolean {
  return index === 0 || /[^\p{L}\p{N}]/u.test(text[index - 1]!);
}

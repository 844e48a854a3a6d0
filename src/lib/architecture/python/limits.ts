/**
 * What a source may cost before it is refused. Every limit counts work, never time, so the same
 * file gives the same answer on every machine.
 */

/** Characters of one file. The longest model files of public projects stay below 300,000. */
export const maxSourceCharacters = 1_000_000;

/**
 * Names, numbers and signs of all files together, which the parser takes about a microsecond each
 * for. The whole of timm has 760,000, the longest file of it 34,000.
 */
export const maxTokens = 1_000_000;

/** Open brackets at one place. CPython stops at 200, and the parser's recursion somewhat later. */
export const maxBracketDepth = 100;

/** Nested blocks at one place: CPython's own limit. */
export const maxIndentDepth = 100;

/**
 * Statements and expressions evaluated, and items iterated, in one run. A transformer with
 * hundreds of layers takes about 100,000; the limit is reached in about half a second.
 */
export const maxSteps = 2_000_000;

/**
 * Nested evaluations (an expression within a call within a block …). A JavaScript stack holds about
 * ten times as many; a model nested a dozen modules deep takes about 200.
 */
export const maxDepth = 1_000;

/** Files that import one another in a line. CPython's own limit comes after a few hundred. */
export const maxImportDepth = 100;

/** List items, dict entries and characters made in one run; a large model makes about 100,000. */
export const maxAllocation = 5_000_000;

/** Characters of the text that stands for a dict's key. Keys are names and small tuples. */
export const maxKeyCharacters = 10_000;

/** Classes in one line of inheritance. */
export const maxAncestors = 100;

/** Statements at the top level that may fail; a file with more is not a model's. */
export const maxWarnings = 1_000;

/** Bits of an integer. Sizes and seeds fit in 64; beyond this only a bomb goes. */
export const maxIntegerBits = 4096;

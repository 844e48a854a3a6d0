/** Recognises a model that other code made, builds the lab's own, and compares the outputs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bind } from '#lib/architecture/binding.ts';
import { recognise } from '#lib/architecture/families/recognise.ts';
import { configurationOf } from '#lib/architecture/hints.ts';
import { parseLiteral } from '#lib/architecture/literal.ts';
import { readSource, type ModuleTree } from '#lib/architecture/source.ts';
import type { Dict } from '#lib/checkpoint/value.ts';
import { open } from '../parity/lab.ts';
import { inputSpecs, judge, largestError, unwrap } from '../sources/outputs.ts';
import type { FamilyCase } from './case.ts';

/** What became of one case; a step that was not reached is null. */
export interface FamilyOutcome {
  readonly item: FamilyCase;
  /** The title that the lab gives; null where no family has these keys. */
  readonly title: string | null;
  /** The recognised family is the right one, or none where none is expected. */
  readonly isRight: boolean;
  readonly keys: number | null;
  readonly keysEqual: boolean | null;
  /** The largest relative error of an output. */
  readonly error: number | null;
  readonly why: string;
}

/** `root` holds the repositories, `python` has the model's maker. */
export async function compareFamily(
  item: FamilyCase,
  root: string | null,
  python: string,
): Promise<FamilyOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'weightroom-family-'));
  const outcome: { -readonly [K in keyof FamilyOutcome]: FamilyOutcome[K] } = {
    item,
    title: null,
    isRight: false,
    keys: null,
    keysEqual: null,
    error: null,
    why: '',
  };
  try {
    const file = join(folder, 'judged.pt');
    outcome.keys = (await judge(item, root, python, file)).length;
    const checkpoint = await open(file);
    const state = (checkpoint.root as Dict).get('state') as Dict;
    const recognised = recognise(state, item.set ? new Map() : configurationOf(checkpoint));
    const refused = recognised?.proposal.refused;
    outcome.title = refused ? `refused: ${refused}` : (recognised?.proposal.title ?? null);
    const usable = refused === undefined ? recognised : null;
    outcome.isRight = (usable?.family ?? null) === item.family;
    if (!usable) return outcome;
    const { proposal, files } = usable;
    const set = Object.entries(item.set ?? {}).map(
      ([name, text]) => [name, parseLiteral(text)] as const,
    );
    const { source } = unwrap(readSource(files));
    const args = new Map([...Object.entries(proposal.args), ...set]);
    const { module } = unwrap(source.build(proposal.model, args));
    outcome.keysEqual = isExact(module, state);
    if (item.shapes) return outcome;
    const { graph } = unwrap(module.trace(inputSpecs(item), { training: false }));
    outcome.error = await largestError(module, graph, checkpoint.root);
  } catch (error) {
    outcome.why = error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return outcome;
}

/** Every key, shape and dtype, each of them once; only the order is free. */
function isExact(module: ModuleTree, state: Dict): boolean {
  const { matched, missing, unexpected, mismatched, defaulted } = bind(module.state, state);
  const apart = [...missing, ...unexpected, ...mismatched, ...defaulted];
  return (
    apart.length === 0 &&
    module.state.every(({ key, dtype }) => matched.get(key)?.tensor.dtype === dtype)
  );
}

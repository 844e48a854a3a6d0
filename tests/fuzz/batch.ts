import fc from 'fast-check';
import { exercise } from './exercise.ts';
import { carryOut, plans, type Seed } from './plans.ts';

/** Runs `count` plans from a fast-check seed: what became of them, or the smallest failing plan. */
export async function runBatch(
  seeds: readonly Seed[],
  seed: number,
  count: number,
  tick: () => void = () => {},
): Promise<{ outcomes: Map<string, number> } | { failure: string }> {
  const outcomes = new Map<string, number>();
  const property = fc.asyncProperty(plans, async (plan) => {
    const { name, bytes } = carryOut(plan, seeds);
    const outcome = await exercise(bytes, name);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    tick();
  });
  const details = await fc.check(property, { seed, numRuns: count });
  if (!details.failed) return { outcomes };
  return { failure: `${String(details.errorInstance)}\n${fc.defaultReportMessage(details)}` };
}

import fc from 'fast-check';
import { exercise } from './exercise.ts';
import { carryOut, plans, type Seeds } from './plans.ts';

/** Memory of the process that a batch may take beyond what it had, whatever was freed in between. */
const MAX_PEAK = 2 ** 30;

/** Runs `count` plans from a fast-check seed: what became of them, or the smallest failing plan. */
export async function runBatch(
  seeds: Seeds,
  seed: number,
  count: number,
  tick: () => void = () => {},
): Promise<{ outcomes: Map<string, number> } | { failure: string }> {
  const outcomes = new Map<string, number>();
  const before = peak();
  const property = fc.asyncProperty(plans, async (plan) => {
    const outcome = await exercise(carryOut(plan, seeds));
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    tick();
  });
  const details = await fc.check(property, { seed, numRuns: count });
  const grown = peak() - before;
  if (grown > MAX_PEAK) return { failure: `the batch took ${Math.round(grown / 2 ** 20)} MiB` };
  if (!details.failed) return { outcomes };
  return { failure: `${String(details.errorInstance)}\n${fc.defaultReportMessage(details)}` };
}

/** The most memory that the process ever had, in bytes. */
function peak(): number {
  return process.resourceUsage().maxRSS * 1024;
}

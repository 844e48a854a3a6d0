import { refuse } from './parameters.ts';
import type { WarmUp } from './settings.ts';

/**
 * What LambdaLR multiplies the first rate by after `epoch` steps, as in transformers'
 * get_constant_schedule_with_warmup, get_linear_… and get_cosine_…: the first step of a warm-up has
 * the rate 0, and what goes down stays at 0 after `total`.
 *
 *     epoch / max(1, warmup)                                                 before warmup
 *     1.0                                                                    constant
 *     max(0.0, (total - epoch) / max(1, total - warmup))                     linear
 *     0.5 * (1.0 + cos(pi * min(1.0, (epoch - warmup) / max(1, total - warmup))))     cosine
 */
export function warmUpFactor({ after, warmup, total }: WarmUp, epoch: number): number {
  if (epoch < warmup) return epoch / Math.max(1, warmup);
  const span = Math.max(1, total - warmup);
  switch (after) {
    case 'constant':
      return 1;
    case 'linear':
      return Math.max(0, (total - epoch) / span);
    case 'cosine':
      return 0.5 * (1 + Math.cos(Math.PI * Math.min(1, (epoch - warmup) / span)));
    default:
      return after satisfies never;
  }
}

/** Throws a FindingError where the numbers make no schedule. */
export function checkWarmUp({ after, warmup, total }: WarmUp): void {
  if (!['constant', 'linear', 'cosine'].includes(after)) {
    refuse(`LambdaLR has no function ${String(after)}`);
  }
  if (!Number.isSafeInteger(warmup) || warmup < 0) {
    refuse(`LambdaLR's warmup is ${warmup}, no count of steps`);
  }
  if (after !== 'constant' && !(Number.isSafeInteger(total) && total >= warmup)) {
    refuse(`LambdaLR's total is ${total}, no count of steps from ${warmup} on`);
  }
}

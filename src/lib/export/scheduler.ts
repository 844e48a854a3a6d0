/** A learning rate schedule as an expression of Python. */
import type { SchedulerSettings, WarmUp } from '#lib/optim/schedulers/settings.ts';
import { bracketed, identifier, keywords, pythonCall, pythonNumber } from './python/literal.ts';

/** `functions` are definitions that the expression needs before it; null where it needs none. */
export function pythonScheduler(settings: SchedulerSettings): {
  expression: string;
  functions: string | null;
} {
  const functions: string[] = [];
  const expression = write(settings, functions);
  return { expression, functions: functions.length > 0 ? functions.join('\n\n') : null };
}

function write(settings: SchedulerSettings, functions: string[]): string {
  const { name, options, lambda, schedulers = [] } = settings;
  const parts = schedulers.map((part) => write(part, functions));
  const make = (...given: string[]) =>
    pythonCall(`torch.optim.lr_scheduler.${identifier(name)}`, [...given, ...keywords(options)]);
  switch (name) {
    case 'SequentialLR':
      return make('optimizer', bracketed('[', parts, ']'));
    case 'ChainedScheduler':
      return make(bracketed('[', parts, ']'));
    case 'LambdaLR': {
      if (!lambda) throw new Error('export: LambdaLR has no function');
      const own = functions.length === 0 ? 'factor' : `factor_${functions.length + 1}`;
      functions.push(factor(own, lambda));
      return make('optimizer', own);
    }
    default:
      return make('optimizer');
  }
}

/** What the rate is multiplied by at a step, as the functions of transformers' schedules. */
function factor(name: string, { after, warmup, total }: WarmUp): string {
  const [up, end] = [pythonNumber(warmup), pythonNumber(total)];
  const rise = [
    `    if step < ${up}:`,
    `        return step / ${pythonNumber(Math.max(1, warmup))}`,
  ];
  const span = pythonNumber(Math.max(1, total - warmup));
  const fall = {
    constant: ['    return 1.0'],
    linear: [`    return max(0.0, (${end} - step) / ${span})`],
    cosine: [
      `    progress = min(1.0, (step - ${up}) / ${span})`,
      '    return 0.5 * (1.0 + math.cos(math.pi * progress))',
    ],
  }[after];
  return [`def ${name}(step):`, ...(warmup > 0 ? rise : []), ...fall].join('\n');
}

import { dict, isDict, list, type Dict } from '#lib/checkpoint/value.ts';
import { divide, ofGroups, type Attributes, type Num } from './attributes.ts';
import { rateKind, recallSame } from './kind.ts';
import { beginMomentum, setMomentum, shortest, tidy, usesBeta1 } from './momentum.ts';
import { positive, refuse, share, type Parameters } from './parameters.ts';
import type { SchedulerOption } from './settings.ts';

const strategies = {
  cos: (start: number, end: number, done: number) =>
    end + ((start - end) / 2) * (Math.cos(Math.PI * done) + 1),
  linear: (start: number, end: number, done: number) => (end - start) * done + start,
};

const oneCycleParameters = {
  max_lr: { type: 'rates' },
  total_steps: { type: 'int', default: null, must: positive },
  epochs: { type: 'int', default: null, must: positive },
  steps_per_epoch: { type: 'int', default: null, must: positive },
  pct_start: { type: 'float', default: 0.3, must: share },
  anneal_strategy: { type: ['cos', 'linear'], default: 'cos' },
  cycle_momentum: { type: 'bool', default: true },
  base_momentum: { type: 'rates', default: 0.85 },
  max_momentum: { type: 'rates', default: 0.95 },
  div_factor: { type: 'float', default: 25 },
  final_div_factor: { type: 'float', default: 1e4 },
  three_phase: { type: 'bool', default: false },
} as const satisfies Parameters;

function totalSteps(args: Attributes): bigint {
  const total = args.get('total_steps');
  if (typeof total === 'bigint') return total;
  const [epochs, steps] = [args.get('epochs'), args.get('steps_per_epoch')];
  if (typeof epochs === 'bigint' && typeof steps === 'bigint') return epochs * steps;
  return refuse('OneCycleLR needs total_steps, or epochs and steps_per_epoch');
}

function phasesOf(args: Attributes, total: bigint): Dict[] {
  const share = args.number('pct_start') * Number(total);
  const phase = (end_step: Num, rates: [string, string], momenta: [string, string]) =>
    dict({
      end_step,
      start_lr: rates[0],
      end_lr: rates[1],
      start_momentum: momenta[0],
      end_momentum: momenta[1],
    });
  const up = phase(share - 1, ['initial_lr', 'max_lr'], ['max_momentum', 'base_momentum']);
  const down: [string, string] = ['base_momentum', 'max_momentum'];
  if (!args.flag('three_phase')) return [up, phase(total - 1n, ['max_lr', 'min_lr'], down)];
  return [
    up,
    phase(2 * args.number('pct_start') * Number(total) - 2, ['max_lr', 'initial_lr'], down),
    phase(total - 1n, ['initial_lr', 'min_lr'], ['max_momentum', 'max_momentum']),
  ];
}

export const oneCycleLR = rateKind({
  parameters: oneCycleParameters,
  attributes: [
    'total_steps',
    '_schedule_phases',
    '_anneal_func_type',
    'cycle_momentum',
    'use_beta1',
  ],
  construct({ state, groups }, args) {
    const total = totalSteps(args);
    const cycles = args.flag('cycle_momentum');
    state.set({
      total_steps: total,
      _schedule_phases: list(...phasesOf(args, total)),
      _anneal_func_type: args.get('anneal_strategy'),
    });
    const max = args.perGroup('max_lr', groups.length);
    for (const [index, group] of args.number('last_epoch') === -1 ? groups.entries() : []) {
      const initial = divide(Number(max[index]), args.number('div_factor'));
      group.set('initial_lr', initial).set('max_lr', max[index]!);
      group.set('min_lr', divide(initial, args.number('final_div_factor')));
    }
    state.set({ cycle_momentum: cycles, ...(cycles && { use_beta1: usesBeta1(groups) }) });
    if (cycles) beginMomentum(groups, args);
  },
  rates({ state, groups }) {
    const step = state.number('last_epoch');
    const total = state.number('total_steps');
    if (step > total) refuse(`OneCycleLR ends after ${total} steps, this is step ${step}`);
    const phases = state.items('_schedule_phases').filter(isDict);
    const at = phases.findIndex((phase) => step <= Number(phase.get('end_step')));
    const phase = phases.at(at)!; // -1 is the last one
    const start = at === 0 ? 0 : Number(phases.at(at - 1)!.get('end_step'));
    const done = divide(step - start, Number(phase.get('end_step')) - start);
    const strategy = strategies[state.text('_anneal_func_type') as keyof typeof strategies];
    const between = (what: 'lr' | 'momentum') => {
      const from = ofGroups(groups, String(phase.get(`start_${what}`)));
      const to = ofGroups(groups, String(phase.get(`end_${what}`)));
      return from.map((value, index) => strategy(Number(value), Number(to[index]), done));
    };
    const rates = between('lr');
    if (state.flag('cycle_momentum')) {
      for (const [index, momentum] of between('momentum').entries()) {
        setMomentum(groups[index]!, momentum, state.flag('use_beta1'));
      }
    }
    return rates;
  },
  recall(state, groups) {
    const phases = state.items('_schedule_phases').filter(isDict);
    const end = Number(phases[0]?.get('end_step'));
    const first = (key: string) => Number(groups[0]?.get(key));
    const ofFile: Record<string, SchedulerOption> = {
      ...recallSame(state, ['total_steps', 'cycle_momentum']),
      pct_start: tidy((end + 1) / state.number('total_steps')),
      anneal_strategy: strategyOf(state),
      three_phase: phases.length === 3,
    };
    if (!groups.every((group) => group.has('max_lr') && group.has('min_lr'))) return ofFile;
    const momenta: Record<string, SchedulerOption> = state.flag('cycle_momentum')
      ? {
          base_momentum: shortest(ofGroups(groups, 'base_momentum')),
          max_momentum: shortest(ofGroups(groups, 'max_momentum')),
        }
      : {};
    return {
      max_lr: shortest(ofGroups(groups, 'max_lr')),
      ...ofFile,
      ...momenta,
      div_factor: tidy(first('max_lr') / first('initial_lr')),
      final_div_factor: tidy(first('initial_lr') / first('min_lr')),
    };
  },
});

/** PyTorch before 2.1 keeps the method itself: `getattr(scheduler, '_annealing_cos')`. */
function strategyOf(state: Attributes): string {
  const method = state.get('anneal_func');
  if (typeof method !== 'object' || method?.kind !== 'call') return state.text('_anneal_func_type');
  const { args } = method;
  const name = typeof args === 'object' && args?.kind === 'tuple' ? args.items[1] : null;
  return typeof name === 'string'
    ? name.replace('_annealing_', '')
    : refuse('anneal_func is unknown');
}

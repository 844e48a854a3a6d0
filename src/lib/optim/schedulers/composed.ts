/** Schedulers of schedulers: one after the other, or all at each step. Source: lr_scheduler.py. */
import { list } from '#lib/checkpoint/value.ts';
import { ofGroups, rateList } from './attributes.ts';
import { increment, takeInitialStep, type Kind, type Part, type Self } from './kind.ts';
import { refuse } from './parameters.ts';
import { reduceLROnPlateau } from './plateau.ts';

/** What a part has by being the first of a SequentialLR. */
const OF_FIRST = ['_step_count', '_is_initial'];

function checkParts({ settings, parts }: Self): void {
  if (parts.length === 0) refuse(`${settings.name} needs at least one scheduler`);
  if (parts.some(({ kind }) => kind === reduceLROnPlateau)) {
    refuse(`${settings.name} takes no ReduceLROnPlateau, whose step needs a metric`);
  }
}

/** Takes back what the constructors of the parts have counted. */
function undo({ parts, state }: Self): void {
  for (const part of parts) undo(part);
  if (parts.length === 0) increment({ state }, 'last_epoch', -1);
}

/** Milestones up to `epoch`: which part is at work. */
function partAt({ state }: Self, epoch: number): number {
  return state.nums('_milestones').filter((milestone) => milestone <= epoch).length;
}

function takeOver(self: Self, part: Part): void {
  self.state.set({ _last_lr: part.state.get('_last_lr') });
}

export const sequentialLR: Kind = {
  parameters: {
    milestones: { type: 'ints' },
    last_epoch: { type: 'int', default: -1n },
  },
  attributes: ['_milestones', 'last_epoch', '_last_lr', '_schedulers', ...OF_FIRST],
  construct(self, args) {
    const { state, groups, parts } = self;
    checkParts(self);
    const milestones = args.nums('milestones');
    if (milestones.length !== parts.length - 1) {
      refuse(
        `SequentialLR has ${parts.length} schedulers and ${milestones.length} milestones, not one less`,
      );
    }
    if (milestones.some((milestone, index) => index > 0 && milestone < milestones[index - 1]!)) {
      refuse(`SequentialLR's milestones ${milestones.join(', ')} do not rise`);
    }
    const [unable] = parts.slice(1).filter(({ kind }) => !kind.restart);
    if (unable) {
      refuse(`SequentialLR cannot begin ${unable.settings.name} at a milestone, as in PyTorch`);
    }
    state.set({ _milestones: list(...milestones), last_epoch: args.num('last_epoch') });
    increment(self, 'last_epoch');
    const initial = ofGroups(groups, 'initial_lr');
    for (const [index, group] of groups.entries()) group.set('lr', initial[index]!);
    undo(self);
    const first = parts[partAt(self, 0)]!;
    takeInitialStep(first, () => first.step());
    takeOver(self, first);
  },
  step(self) {
    increment(self, 'last_epoch');
    const epoch = self.state.number('last_epoch');
    const index = partAt(self, epoch);
    const part = self.parts[index]!;
    const isNew = index > 0 && Number(self.state.nums('_milestones')[index - 1]) === epoch;
    if (isNew) part.kind.restart!(part);
    else part.step();
    takeOver(self, part);
  },
  recall: (state) => ({ milestones: state.nums('_milestones').map(Number) }),
};

export const chainedScheduler: Kind = {
  parameters: {},
  attributes: ['_last_lr', '_schedulers', ...OF_FIRST],
  construct(self) {
    checkParts(self);
    self.state.set({ _last_lr: rateList(self.groups) });
  },
  step({ state, groups, parts }) {
    for (const part of parts) part.step();
    state.set({ _last_lr: rateList(groups) });
  },
  recall: () => ({}),
};

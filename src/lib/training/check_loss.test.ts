import { describe, expect, it } from 'vitest';
import { build } from '../../../tests/fixtures/built.ts';
import type { TargetSpec } from '#lib/inputs/data/dataset.ts';
import { checkLoss, lossOutput, proposeLoss } from './check_loss.ts';
import { Criterion, resolveLoss } from './losses.ts';
import type { LossSettings } from './settings.ts';

const cross = {
  name: 'cross_entropy',
  labelSmoothing: 0,
  ignoreIndex: -100,
  classWeights: null,
} as const;
const nll = { name: 'nll_loss', ignoreIndex: -100, classWeights: null } as const;
const logits = { name: 'binary_cross_entropy_with_logits', posWeight: null } as const;
const three: TargetSpec = { kind: 'class', classes: ['a', 'b', 'c'], shape: [] };
const pixels: TargetSpec = { ...three, shape: [4, 5] };
const tokens: TargetSpec = { kind: 'tokens', vocabulary: 11, shape: [5] };
const numbers = (...shape: number[]): TargetSpec => ({ kind: 'numbers', names: [], shape });

describe('a loss and its targets', () => {
  it.each<[string, LossSettings, TargetSpec, number[]]>([
    ['classes', cross, three, [8, 3]],
    ['more outputs than classes', cross, three, [8, 1000]],
    ['pixels', cross, pixels, [8, 3, 4, 5]],
    ['tokens', cross, tokens, [8, 5, 11]],
    ['tokens in rows', cross, tokens, [40, 11]],
    ['probabilities', cross, numbers(3), [8, 3]],
    ['numbers', { name: 'mse_loss' }, numbers(2), [8, 2]],
    ['single numbers', { name: 'mse_loss' }, numbers(), [8]],
    ['one weight for all positives', { ...logits, posWeight: [2] }, numbers(3), [8, 3]],
  ])('fit: %s', (_, loss, target, output) => {
    expect(() => checkLoss(loss, target, output, 8)).not.toThrow();
  });

  it.each<[LossSettings, TargetSpec, number[], string]>([
    [
      cross,
      three,
      [8, 2],
      'loss: cross_entropy of 3 classes takes an output [8, 3], the model gives [8, 2]',
    ],
    [nll, three, [8], 'loss: nll_loss of 3 classes takes an output [8, 3], the model gives [8]'],
    [
      cross,
      pixels,
      [8, 4, 5, 3],
      'loss: cross_entropy of 3 classes takes an output [8, 3, 4, 5], the model gives [8, 4, 5, 3]',
    ],
    [
      cross,
      tokens,
      [8, 11, 5],
      'loss: cross_entropy of 11 tokens takes an output [8, 5, 11] or [40, 11], the model gives [8, 11, 5]',
    ],
    [nll, numbers(3), [8, 3], 'loss: nll_loss takes class indices, the targets are numbers'],
    [
      cross,
      numbers(3),
      [8, 4],
      "loss: cross_entropy takes an output of the probabilities' shape [8, 3], with the classes on axis 1; the model gives [8, 4]",
    ],
    [
      { ...cross, ignoreIndex: 0 },
      numbers(3),
      [8, 3],
      'loss: cross_entropy with probabilities ignores no index, ignore_index is 0',
    ],
    [
      { name: 'mse_loss' },
      numbers(),
      [8, 1],
      "loss: mse_loss takes an output of the targets' shape [8], the model gives [8, 1]",
    ],
    [
      { name: 'l1_loss' },
      numbers(1),
      [8],
      "loss: l1_loss takes an output of the targets' shape [8, 1], the model gives [8]",
    ],
    [
      { name: 'mse_loss' },
      three,
      [8],
      'loss: mse_loss takes numbers, the targets are class indices',
    ],
    [
      logits,
      tokens,
      [8, 5],
      'loss: binary_cross_entropy_with_logits takes numbers, the targets are tokens',
    ],
    [
      { ...cross, classWeights: [1, 2] },
      three,
      [8, 3],
      'loss: cross_entropy has 2 class weights, the model gives 3 classes',
    ],
    [
      { ...logits, posWeight: [1, 2] },
      numbers(3),
      [8, 3],
      'loss: binary_cross_entropy_with_logits has a pos_weight of 2 numbers, the model gives [8, 3]',
    ],
    [
      { name: 'binary_cross_entropy', posWeight: [1] },
      numbers(3),
      [8, 3],
      'loss: binary_cross_entropy has no pos_weight',
    ],
  ])('do not fit: %j, %j, %j', (loss, target, output, message) => {
    expect(() => checkLoss(loss, target, output, 8)).toThrow(new RegExp(`^${escaped(message)}$`));
  });
});

const escaped = (text: string) => text.replace(/[[\](){}.*+?^$|\\]/g, '\\$&');

describe('a loss is proposed', () => {
  const graphOf = (forward: string) => build({ forward }, { shape: [3] }).graphFor(2, true);

  it.each([
    ['x * 2', three, 'cross_entropy'],
    ['F.log_softmax(x, 1)', three, 'nll_loss'],
    ['F.log_softmax(x, 1).view(-1, 3)', three, 'nll_loss'],
    ['x * 2', tokens, 'cross_entropy'],
    ['x * 2', numbers(3), 'mse_loss'],
    ['torch.sigmoid(x)', numbers(3), 'binary_cross_entropy'],
    ['return {"hidden": torch.sigmoid(x), "logits": x * 2}', numbers(3), 'mse_loss'],
  ] as const)('of %s with %j: %s', (forward, target, name) => {
    expect(proposeLoss(target, graphOf(forward)).name).toBe(name);
  });

  it('of the output named logits, or the first', () => {
    expect(lossOutput(graphOf('return {"hidden": x + 1, "logits": x * 2}'))).toBe(1);
    expect(lossOutput(graphOf('x + 1, x * 2'))).toBe(0);
  });
});

describe('balanced class weights', () => {
  const balanced = { ...cross, classWeights: 'balanced' } as const;

  it('are N / (classes · count), as sklearn computes them, and 0 without examples', () => {
    const labels = Int32Array.of(0, 0, 0, 1, 0, 1);
    expect(resolveLoss(balanced, labels, 3)).toMatchObject({ classWeights: [0.5, 1, 0] });
    expect(resolveLoss(cross, labels, 3)).toBe(cross);
  });

  it('need one class for each example, and are computed before the run', () => {
    expect(() => resolveLoss(balanced, null, 3)).toThrow(
      'loss: balanced class weights need one class for each example',
    );
    expect(() => new Criterion(balanced, three)).toThrow('are not computed yet');
  });
});

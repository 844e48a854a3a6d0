import { chainedScheduler, sequentialLR } from './composed.ts';
import { cosineAnnealingLR, cosineAnnealingWarmRestarts } from './cosines.ts';
import { cyclicLR } from './cyclic.ts';
import {
  constantLR,
  exponentialLR,
  lambdaLR,
  linearLR,
  multiStepLR,
  polynomialLR,
  stepLR,
} from './decays.ts';
import type { Kind } from './kind.ts';
import type { Parameters } from './parameters.ts';
import { oneCycleLR } from './one_cycle.ts';
import { reduceLROnPlateau } from './plateau.ts';
import type { SchedulerName } from './settings.ts';

export const kinds: Readonly<Record<SchedulerName, Kind>> = {
  StepLR: stepLR,
  MultiStepLR: multiStepLR,
  ConstantLR: constantLR,
  LinearLR: linearLR,
  ExponentialLR: exponentialLR,
  CosineAnnealingLR: cosineAnnealingLR,
  CosineAnnealingWarmRestarts: cosineAnnealingWarmRestarts,
  OneCycleLR: oneCycleLR,
  CyclicLR: cyclicLR,
  PolynomialLR: polynomialLR,
  ReduceLROnPlateau: reduceLROnPlateau,
  LambdaLR: lambdaLR,
  SequentialLR: sequentialLR,
  ChainedScheduler: chainedScheduler,
};

/** The arguments of a scheduler with torch's defaults, in torch's order; for a form. */
export function schedulerParameters(name: SchedulerName): Parameters {
  return kinds[name].parameters;
}

/**
 * Models that come with their forward pass, written by PyTorch 1.13 and 2.13: TorchScript traced and
 * scripted, programs of torch.export, modules pickled whole. The lab's outputs for the same input are
 * compared with those of the PyTorch that wrote the file.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { bind, findStateDicts } from '#lib/architecture/binding.ts';
import { findCarried, openCarried } from '#lib/architecture/carried/open.ts';
import { readFileSync } from 'node:fs';
import * as tf from '#lib/runtime/tf.ts';
import { fixturesOf } from '../fixtures/made.ts';
import { oldPython } from '../python.ts';
import { numbers, open, relativeError, unwrap, upload, useBackend } from './lab.ts';

const BOUND = 1e-4;
/** Compiling shaders on a software adapter takes its time: small models go there as well. */
const onWebGPU = /^(lstm_exported|control_scripted)$/;

interface Program {
  readonly name: string;
  readonly path: string;
  readonly model: string;
  readonly form: 'traced' | 'scripted' | 'exported' | 'module' | 'legacy';
  readonly torch: string;
}

const script = 'tests/fixtures/programs.py';
const programs = [
  ...(await fixturesOf<Omit<Program, 'path'>>(script)),
  ...(oldPython
    ? await fixturesOf<Omit<Program, 'path'>>(script, { interpreter: oldPython, age: 'old' })
    : []),
];

const table: string[] = [];
afterAll(() => console.log(['relative errors of models in files:', ...table].join('\n')));

const ownSource = [{ name: 'programs.py', text: readFileSync(script, 'utf8') }];

const cases = programs.flatMap((program) => {
  const backends = onWebGPU.test(program.name) ? (['cpu', 'webgpu'] as const) : (['cpu'] as const);
  return backends.map((backend) => ({ ...program, backend }));
});

describe('models in files', () => {
  it.each(cases)(
    '$name of $torch on $backend',
    async ({ name, path, model, form, torch, backend }) => {
      const checkpoint = await open(path);
      const stateDicts = findStateDicts(checkpoint.root);
      const carried = findCarried(checkpoint, stateDicts)!;
      expect(carried.kind).toBe(
        {
          traced: 'torchscript',
          scripted: 'torchscript',
          exported: 'exported',
          module: 'module',
          legacy: 'module',
        }[form],
      );
      const needsSource = model === 'own' && form === 'module';
      const opened = await openCarried(checkpoint, carried, needsSource ? ownSource : []);
      const { module, stateDict } = opened;
      const binding = bind(module.state, stateDict);
      expect(binding).toMatchObject({ missing: [], unexpected: [], mismatched: [] });
      const io = (await open(path.replace(/\.\w+$/, '.io.pt'))).root;
      const [input, output] = [await numbers(io, 'input'), await numbers(io, 'output')];
      if (form === 'exported') {
        expect(opened.inputs).toEqual([{ shape: input.shape, dtype: 'float32' }]);
      }
      const graph = unwrap(
        module.trace([{ shape: input.shape, dtype: 'float32' }], { training: false }),
      ).graph;
      const running = await useBackend(backend);
      const candidate = { path: [], dict: stateDict, origin: stateDict, score: 0 };
      const loaded = await upload({ module, stateDict: candidate, binding });
      const [result] = await loaded.predict(graph, [input]);
      running.check();
      loaded.dispose();
      expect(result!.shape).toEqual(output.shape);
      const error = relativeError(result!.values, output.values);
      table.push(
        `${backend.padEnd(7)} ${torch.split('+')[0]!.padEnd(7)} ${form.padEnd(9)} ${name.replace(/_\w+$/, '').padEnd(13)} ${error.toExponential(1)}`,
      );
      expect(error).toBeLessThanOrEqual(BOUND);
      expect(Math.max(...output.values) - Math.min(...output.values)).toBeGreaterThan(1e-3);
      expect(tf.memory().numTensors).toBe(0);
    },
    120_000,
  );
});

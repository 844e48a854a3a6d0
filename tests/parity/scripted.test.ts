/**
 * Models that come with their forward pass, written by PyTorch 1.13 and 2.13: TorchScript traced and
 * scripted, programs of torch.export, modules pickled whole. The lab's outputs for the same input are
 * compared with those of the PyTorch that wrote the file. `npm run programs` has larger ones.
 */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { exportedModel } from '#lib/architecture/exported/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import { fixturesOf } from '../fixtures/made.ts';
import { compareProgram, modelOf, openProgram, ways, type Program } from '../programs/compare.ts';
import { oldPython } from '../python.ts';
import { open, relativeError, unwrap, useBackend } from './lab.ts';

const BOUND = 1e-4;
/** Compiling shaders on a software adapter takes its time: small models go there as well. */
const onWebGPU = /^(lstm_exported|control_scripted)$/;

const script = 'tests/fixtures/programs.py';
const programs: Program[] = [
  ...(await fixturesOf<Program>(script)),
  ...(oldPython ? await fixturesOf<Program>(script, { interpreter: oldPython, age: 'old' }) : []),
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
    async ({ backend, ...program }) => {
      const { model, form, torch } = program;
      const needsSource = model === 'own' && form === 'module';
      const opened = await openProgram(program, needsSource ? ownSource : []);
      expect(opened.kind).toBe(ways[form][0]);
      if (opened.kind === 'exported') {
        const shape = form === 'dynamic' ? [1, ...opened.input.shape.slice(1)] : opened.input.shape;
        expect(opened.model.inputs).toEqual([{ shape, dtype: 'float32' }]);
      }
      const { keysEqual, error, spread } = await compareProgram(program, opened, backend);
      table.push(
        [backend.padEnd(7), torch.padEnd(8), model.padEnd(13), ways[form][1].padEnd(22)].join(' ') +
          error.toExponential(1),
      );
      expect(keysEqual).toBe(true);
      expect(error).toBeLessThanOrEqual(BOUND);
      expect(spread).toBeGreaterThan(1e-3);
      expect(tf.memory().numTensors).toBe(0);
    },
    120_000,
  );
});

interface Numbers {
  readonly shape: number[];
  readonly values: number[];
}
interface OpenSizes {
  readonly name: string;
  readonly path: string;
  /** What PyTorch gives for inputs, or why it refuses them. */
  readonly cases: readonly (Partial<Numbers> & {
    readonly inputs: readonly Numbers[];
    readonly refused?: string;
  })[];
}

describe('programs take the shapes that PyTorch takes', async () => {
  const files = await fixturesOf<OpenSizes>('tests/fixtures/open_sizes.py');
  it.each(files)('$name', async ({ path, cases }) => {
    const model = await exportedModel(await open(path));
    await useBackend('cpu');
    const loaded = await modelOf(model);
    for (const { inputs, refused, shape, values } of cases) {
      const given = inputs.map((input) => ({ shape: input.shape, dtype: 'float32' as const }));
      const traced = model.module.trace(given, { training: false });
      if (refused !== undefined) {
        expect(traced).toMatchObject({ ok: false });
        const { message } = (traced as { findings: { message: string }[] }).findings[0]!;
        expect(message, refused).toMatch(/the program was exported for /);
        continue;
      }
      const numbers = inputs.map((input) => ({
        ...input,
        values: Float32Array.from(input.values),
      }));
      const [output] = await loaded.predict(unwrap(traced).graph, numbers);
      expect(output!.shape).toEqual(shape);
      expect(relativeError(output!.values, values!)).toBeLessThanOrEqual(1e-5);
    }
    loaded.dispose();
  });
});

/**
 * Compares rows with PyTorch on the fallback and on WebGPU: outputs and gradients, by relative error.
 * Every op of a family has to occur in its rows. The figures are kept for the table that is printed
 * when all families are through.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Graph } from '#lib/architecture/graph.ts';
import { readSource } from '#lib/architecture/source.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import type { Dict, List } from '#lib/checkpoint/value.ts';
import type { Backend } from '#lib/runtime/backend.ts';
import { execute } from '#lib/runtime/executor.ts';
import { tfDtype } from '#lib/runtime/tensors.ts';
import * as tf from '#lib/runtime/tf.ts';
import { runPython } from '../../python.ts';
import { backends, open, relativeError, unwrap, useBackend } from '../lab.ts';
import { sourceOf, specOf, titleOf, type Row } from './rows.ts';
import { opsFolder, type Figure } from './table.ts';

const BOUND = { cpu: 1e-5, webgpu: 1e-4, webgl: 1e-4 };
/**
 * What is tiny by cancellation is noise in PyTorch's float32 too: there its own distance from
 * float64 is the measure.
 */
const OWN = 30;

/**
 * Tests `rows`, which have to use each op of `ops` where the family has ops of its own. Rows of no
 * family stay out of the table.
 */
export function compareOps(
  family: string | null,
  ops: readonly string[] | null,
  rows: readonly Row[],
): void {
  const folder = mkdtempSync(join(tmpdir(), `weightroom-ops-${family ?? 'rows'}-`));
  const figures: Figure[] = [];
  const source = sourceOf(rows);
  let answers: List;

  beforeAll(async () => {
    const cases = rows.map(({ inputs, training = false }) => ({
      training,
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([name, input]) => [name, specOf(input)]),
      ),
    }));
    const file = join(folder, 'answers.pt');
    await runPython('tests/judge/ops.py', [file], {
      input: JSON.stringify({ source, cases }, (_, value: unknown) =>
        typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
      ),
    });
    answers = (await open(file)).root as List;
  }, 300_000);
  afterAll(() => {
    rmSync(folder, { recursive: true });
    if (family === null) return;
    mkdirSync(opsFolder, { recursive: true });
    writeFileSync(join(opsFolder, `${family}.json`), JSON.stringify(figures));
  });

  const trace = (number: number): { graph: Graph; keys: Set<string> } => {
    const row = rows[number]!;
    const { inputs, training = false } = row;
    const { source: model } = unwrap(readSource([{ name: 'case.py', text: sourceOf([row]) }]));
    const { module } = unwrap(model.build('Case0'));
    const specs = Object.values(inputs).map(specOf);
    return {
      graph: unwrap(module.trace(specs, { training })).graph,
      keys: new Set(module.state.map(({ key }) => key)),
    };
  };

  if (ops) {
    it('has a row for each op', () => {
      const used = new Set<string>();
      rows.forEach((_, number) => {
        try {
          for (const { op } of trace(number).graph.nodes) used.add(op);
        } catch {
          // The row's own test says what is wrong.
        }
      });
      expect(ops.filter((op) => !used.has(op))).toEqual([]);
    });
  }

  describe.each(backends)('%s', (backend) => {
    let running: Backend;
    beforeAll(async () => {
      running = await useBackend(backend);
    }, 60_000);
    // A device that reported an error would fail every row after it.
    afterEach(async ({ task }) => {
      if (task.result?.state === 'fail') running = await useBackend(backend);
    });
    it.each(rows.map((row, number) => [titleOf(row), row, number] as const))(
      '%s',
      async (_, row, number) => {
        const answer = answers.items[number] as Dict;
        const { graph } = trace(number);
        const before = tf.memory().numTensors;
        const bound = row.bound?.[backend as 'cpu'] ?? BOUND[backend];
        const names = Object.keys(row.inputs);
        const given = await Promise.all(
          names.map((name) => upload((answer.get('inputs') as Dict).get(name) as Tensor)),
        );
        const state = new Map<string, tf.Variable>();
        for (const [key, tensor] of (answer.get('state') as Dict).entries()) {
          state.set(String(key), await upload(tensor as Tensor));
        }
        const weights = await Promise.all(
          (answer.get('weights') as List).items.map((tensor) => upload(tensor as Tensor)),
        );
        const single = answer.get('single') as Dict;
        const double = answer.get('double') as Dict;
        const figure: Figure = {
          family: family ?? '',
          backend,
          code: titleOf(row),
          ops: [...new Set(graph.nodes.map(({ op }) => op))],
          output: 0,
          gradient: null,
        };

        const run = () =>
          execute(graph, given, {
            weight: (key) => state.get(key)!,
            updateBuffer: () => {},
            countBatch: () => 1,
            seed: 1,
            step: 1,
          });
        const judge = async (
          place: string,
          values: ArrayLike<number>,
          path: (root: Dict) => Tensor,
        ) => {
          const [ours, exact] = await Promise.all(
            [single, double].map((root) => numbersOf(path(root))),
          );
          const own = relativeError(ours!, exact!);
          const error = relativeError(values, exact!);
          expect(error, place).toBeLessThanOrEqual(Math.max(bound, OWN * own));
          return error;
        };

        const outputs = tf.tidy(run);
        const expected = (single.get('outputs') as List).items as Tensor[];
        expect(outputs.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => [...shape]));
        for (const [at, output] of outputs.entries()) {
          const values = await output.data();
          running.check();
          const path = (root: Dict) => (root.get('outputs') as List).items[at] as Tensor;
          if (tfDtype(expected[at]!.dtype) === 'float32') {
            figure.output = Math.max(figure.output, await judge(`output ${at}`, values, path));
          } else {
            expect([...values].map(Number), `output ${at}`).toEqual([
              ...(await numbersOf(path(single))),
            ]);
          }
        }

        const gradients = single.get('gradients') as Dict;
        const wanted = [
          ...names.map((name, at) => ({ group: 'inputs', name, variable: given[at]! })),
          ...[...state].map(([name, variable]) => ({ group: 'parameters', name, variable })),
        ].filter(({ group, name }) => (gradients.get(group) as Dict).has(name));
        if (wanted.length > 0 && row.noGradient === undefined) {
          const { value, grads } = tf.variableGrads(
            () => {
              const sums = run().flatMap((output, at) =>
                output.dtype === 'float32' ? [tf.sum(tf.mul(output, weights[at]!))] : [],
              );
              return sums.reduce((a, b) => tf.add(a, b)) as tf.Scalar;
            },
            wanted.map(({ variable }) => variable),
          );
          figure.gradient = 0;
          for (const { group, name, variable } of wanted) {
            const gradient = grads[variable.name];
            expect(gradient, `a gradient of ${name}`).toBeTruthy();
            const path = (root: Dict) =>
              ((root.get('gradients') as Dict).get(group) as Dict).get(name) as Tensor;
            const error = await judge(`gradient of ${name}`, await gradient!.data(), path);
            figure.gradient = Math.max(figure.gradient, error);
          }
          tf.dispose([value, ...Object.values(grads)]);
        }
        running.check();
        figures.push(figure);
        tf.dispose([...outputs, ...given, ...state.values(), ...weights]);
        expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
      },
    );
  });
}

async function numbersOf(tensor: Tensor): Promise<Float32Array> {
  return toFloat32(await readTensor(tensor), tensor.dtype);
}

async function upload(tensor: Tensor): Promise<tf.Variable> {
  const dtype = tfDtype(tensor.dtype);
  const values = await numbersOf(tensor);
  const data = dtype === 'float32' ? values : Int32Array.from(values);
  const initial = tf.tensor(data, [...tensor.shape], dtype);
  const variable = tf.variable(initial, dtype === 'float32');
  initial.dispose();
  return variable;
}

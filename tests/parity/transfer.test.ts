/**
 * Transfer learning against PyTorch: a new head, frozen parameters and LoRA have its first values,
 * outputs, gradients and running statistics; LoRA merged gives what it gave beside the weights.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bind } from '#lib/architecture/binding.ts';
import { editModel } from '#lib/architecture/edit_model.ts';
import { allBut, noEdits, type ModelEdits } from '#lib/architecture/edits.ts';
import { readSource, type ModuleTree } from '#lib/architecture/source.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { mergeLora } from '#lib/edit/merge_lora.ts';
import {
  adapterValues,
  CONFIG_FILE,
  readAdapter,
  WEIGHTS_FILE,
  writeAdapter,
} from '#lib/export/peft.ts';
import { memorySink } from '#lib/file/sink.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { Model } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import { runPython } from '../python.ts';
import { backends, numbers, open, relativeError, unwrap, useBackend } from './lab.ts';

const SEED = 11;
const BOUND = 2e-6;
const GRADIENT = 5e-6;
/** Of merged weights against the update beside them: float32 sums in another order. */
const MERGED = 1e-6;

const path = 'tests/judge/transfer_models.py';
const { source } = unwrap(readSource([{ name: path, text: readFileSync(path, 'utf8') }]));

interface Case {
  readonly name: string;
  readonly model: 'Net' | 'GPT';
  readonly edits: Partial<ModelEdits>;
}

const cases: Case[] = [
  {
    name: 'a new head on frozen features',
    model: 'Net',
    edits: { head: { module: 'fc', outputs: 3 }, freeze: allBut('fc') },
  },
  { name: 'frozen by globs', model: 'Net', edits: { freeze: ['features.*', '*.bias', '!fc.*'] } },
  {
    name: 'LoRA and a new head',
    model: 'Net',
    edits: {
      head: { module: 'fc', outputs: 5 },
      lora: { rank: 3, alpha: 6, dropout: 0, targets: ['hidden'] },
    },
  },
  {
    name: 'LoRA on both kinds of linear layers',
    model: 'GPT',
    edits: { lora: { rank: 2, alpha: 5, dropout: 0, targets: ['c_attn', 'c_proj', 'mlp.*'] } },
  },
  {
    name: 'LoRA with layers trained beside it',
    model: 'GPT',
    edits: {
      lora: { rank: 4, alpha: 4, dropout: 0, targets: ['c_attn'] },
      freeze: ['!ln.*', '!lm_head.*'],
    },
  },
];

const prepared = cases.map(({ name, model, edits }, index) => {
  const { module: base } = unwrap(source.build(model));
  const edited = unwrap(editModel(base, { ...noEdits, ...edits }));
  const { head = null, lora = null, freeze = [] } = edits;
  const judged = {
    name: String(index),
    model,
    seed: SEED,
    head: head && [head.module, head.outputs],
    freeze,
    lora: lora && { ...lora, layers: edited.lora.map((layer) => layer.path) },
    input: model === 'Net' ? [[6, 1, 6, 6], 0] : [[3, 5], 11],
  };
  return { name, base, edited, edits, index, judged };
});

const folder = mkdtempSync(join(tmpdir(), 'weightroom-transfer-'));
afterAll(() => rmSync(folder, { recursive: true }));
await runPython('tests/judge/transfer.py', [folder], {
  input: JSON.stringify(prepared.map(({ judged }) => judged)),
});
const read = async (index: number, what: string): Promise<Value> =>
  (await open(join(folder, `${index}-${what}.pt`))).root;

function item(root: Value, key: string): Value {
  const value = isDict(root) ? root.get(key) : undefined;
  if (value === undefined) throw new Error(`no ${key}`);
  return value;
}

function stateDict(root: Value): Dict {
  if (isDict(root)) return root;
  throw new Error('no state_dict');
}

const tensorOf = (values: Float32Array<ArrayBuffer>, shape: readonly number[]): Tensor =>
  tensorFromBytes(new Uint8Array(values.buffer), 'float32', shape);

/** The input as the graph takes it. */
async function inputOf(result: Value) {
  const input = item(result, 'input');
  if (!isTensor(input)) throw new Error('no input');
  const { values, shape } = await numbers(result, 'input');
  const dtype = input.dtype === 'int64' ? ('int64' as const) : ('float32' as const);
  const upload = () =>
    dtype === 'int64'
      ? tf.tensor(Int32Array.from(values), shape, 'int32')
      : tf.tensor(values, shape);
  return { shape, dtype, upload };
}

/** The float32 entries of the changed model's state. */
async function floatsOf(index: number, module: ModuleTree) {
  const { matched } = bind(module.state, stateDict(await read(index, 'state')));
  const floats = new Map<string, Float32Array<ArrayBuffer>>();
  for (const [key, { tensor }] of matched) {
    if (tensor.dtype === 'float32') floats.set(key, toFloat32(await readTensor(tensor), 'float32'));
  }
  return floats;
}

async function evaluate(
  module: ModuleTree,
  tensors: ReadonlyMap<string, Tensor>,
  input: Awaited<ReturnType<typeof inputOf>>,
): Promise<Float32Array> {
  const model = await Model.load(module.state, tensors);
  const { graph } = unwrap(module.trace([input], { training: false }));
  const x = input.upload();
  const [output] = model.forward(graph, [x]);
  const values = (await output!.data<'float32'>()).slice();
  tf.dispose([x, output!]);
  model.dispose();
  return values;
}

describe.each(prepared)('$name', ({ base, edited, edits, index }) => {
  const { module } = edited;

  it('begins as in PyTorch, with what the file has', async () => {
    const start = await read(index, 'start');
    expect(new Set(module.state.map(({ key }) => key))).toEqual(new Set(stateDict(start).keys()));
    const binding = bind(module.state, stateDict(await read(index, 'base')), { edited });
    expect(binding).toMatchObject({ missing: [], unexpected: [], mismatched: [] });
    expect(binding.fresh).toEqual([...edited.fresh]);
    const { tensors } = unwrap(module.initialise(binding.fresh, BigInt(SEED)));
    for (const { key } of module.state) {
      const tensor = binding.matched.get(key)?.tensor ?? tensors.get(key)!;
      const values = toFloat32(await readTensor(tensor), tensor.dtype);
      expect(values, key).toEqual((await numbers(start, key)).values);
    }
  });

  it.each(edits.freeze && edits.lora ? (['cpu'] as const) : backends)(
    'gives the outputs, gradients and statistics on %s',
    async (backend) => {
      const running = await useBackend(backend);
      const result = await read(index, 'result');
      const input = await inputOf(result);
      const { matched } = bind(module.state, stateDict(await read(index, 'state')));
      const tensors = new Map([...matched].map(([key, { tensor }]) => [key, tensor]));
      const output = await evaluate(module, tensors, input);
      expect(relativeError(output, (await numbers(result, 'output')).values)).toBeLessThan(BOUND);

      const model = await Model.load(module.state, tensors);
      const { graph } = unwrap(module.trace([input], { training: true }));
      const x = input.upload();
      const { loss, extra, gradients } = model.gradients(graph, [x], ([given]) => ({
        loss: tf.mean(tf.square(given!)),
        extra: tf.scalar(0),
      }));
      const expected = item(result, 'gradients');
      expect([...gradients.keys()].sort()).toEqual([...stateDict(expected).keys()].sort());
      for (const [key, gradient] of gradients) {
        const values = await gradient!.data<'float32'>();
        const error = relativeError(values, (await numbers(expected, key)).values);
        expect(error, key).toBeLessThan(GRADIENT);
      }
      expect(relativeError(await loss.data(), (await numbers(result, 'loss')).values)).toBeLessThan(
        BOUND,
      );
      const { floats, counters } = await model.read();
      for (const [name, value] of stateDict(item(result, 'buffers')).entries()) {
        const key = String(name);
        const after = floats.get(key) ?? Float32Array.of(Number(counters.get(key)));
        const { values } = await numbers(new Dict([[key, value]]), key);
        expect(relativeError(after, values), key).toBeLessThan(BOUND);
      }
      tf.dispose([x, loss, extra, ...gradients.values()].filter((it) => it !== null));
      model.dispose();
      running.check();
    },
  );

  if (!edits.lora) return;
  it('gives the same when LoRA is merged', async () => {
    const running = await useBackend('cpu');
    const merged = await read(index, 'merged');
    const result = await read(index, 'result');
    const floats = await floatsOf(index, module);
    const own = mergeLora(floats, edited.lora, edits.lora!);
    const state = item(merged, 'state');
    const shapes = new Map(
      [...stateDict(state).entries()].map(([key, value]) => [key, value as Tensor] as const),
    );
    expect([...own.keys()]).toEqual(
      [...shapes.keys()].filter((key) => !/tracked/.test(String(key))),
    );
    for (const [key, values] of own) {
      const error = relativeError(values, (await numbers(state, key)).values);
      expect(error, key).toBeLessThan(MERGED);
    }
    const head = edits.head ?? null;
    const plain = head ? unwrap(editModel(base, { ...noEdits, head })).module : base;
    const tensors = new Map(
      [...shapes].map(([key, tensor]) => {
        const values = own.get(String(key));
        return [String(key), values ? tensorOf(values, tensor.shape) : tensor] as const;
      }),
    );
    const output = await evaluate(plain, tensors, await inputOf(result));
    expect(relativeError(output, (await numbers(merged, 'output')).values)).toBeLessThan(MERGED);
    expect(relativeError(output, (await numbers(result, 'output')).values)).toBeLessThan(MERGED);
    running.check();
  });
});

describe('a PEFT adapter', () => {
  const adapters = prepared.filter(({ edits }) => edits.lora && !edits.freeze);

  it('goes onto the base model in Python', async () => {
    for (const { index, edited, edits } of adapters) {
      const options = { base: null, taskType: null };
      const floats = await floatsOf(index, edited.module);
      const adapter = writeAdapter({ ...noEdits, ...edits }, edited, floats, options);
      const sink = memorySink();
      await safetensors.write!(adapter.tensors, sink, { stem: 'adapter' });
      mkdirSync(join(folder, String(index)));
      writeFileSync(join(folder, String(index), CONFIG_FILE), adapter.config);
      writeFileSync(join(folder, String(index), WEIGHTS_FILE), sink.bytes());
    }
    const args = adapters.flatMap(({ judged }) => [judged.name, judged.model]);
    const errors = JSON.parse(
      await runPython('tests/judge/adapter.py', [folder, ...args]),
    ) as object;
    expect(Object.keys(errors)).toEqual(adapters.map(({ judged }) => judged.name));
    for (const error of Object.values(errors)) expect(error).toBeLessThan(MERGED);
  });

  it('comes back onto the base model here', async () => {
    const running = await useBackend('cpu');
    for (const { index, base, edited } of adapters) {
      const at = (name: string) => join(folder, String(index), name);
      const weights = stateDict((await open(at(WEIGHTS_FILE))).root);
      const adapter = readAdapter(new Uint8Array(readFileSync(at(CONFIG_FILE))), weights);
      const again = unwrap(editModel(base, { ...noEdits, ...adapter.edits }));
      expect(again.lora).toEqual(edited.lora);
      const file = stateDict(await read(index, 'base'));
      const tensors = new Map(
        [...bind(again.module.state, file, { edited: again }).matched].map(
          ([key, { tensor }]) => [key, tensor] as const,
        ),
      );
      const statistics = stateDict(await read(index, 'state'));
      for (const key of tensors.keys()) {
        const own = /running/.test(key) ? statistics.get(key) : undefined;
        if (isTensor(own)) tensors.set(key, own);
      }
      for (const [key, tensor] of adapterValues(again, adapter)) tensors.set(key, tensor);
      const result = await read(index, 'result');
      const output = await evaluate(again.module, tensors, await inputOf(result));
      expect(relativeError(output, (await numbers(result, 'output')).values)).toBeLessThan(BOUND);
    }
    running.check();
  });
});

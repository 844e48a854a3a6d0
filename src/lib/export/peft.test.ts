import { describe, expect, test } from 'vitest';
import { editModel, type Edited } from '#lib/architecture/edit_model.ts';
import { noEdits, type ModelEdits } from '#lib/architecture/edits.ts';
import { readSource } from '#lib/architecture/source.ts';
import { numel, tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict } from '#lib/checkpoint/value.ts';
import { adapterValues, readAdapter, writeAdapter } from './peft.ts';

const text = `
from torch import nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(4, 4)
        self.fc = nn.Linear(4, 4)

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()
        self.norm = nn.BatchNorm1d(4)
        self.proj = nn.Linear(4, 6)
        self.head = nn.Linear(6, 3)
`;

function change(edits: Partial<ModelEdits>): { edits: ModelEdits; edited: Edited } {
  const read = readSource([{ name: 'model.py', text }]);
  const built = read.ok ? read.source.build('Model') : read;
  const all = { ...noEdits, ...edits };
  const edited = built.ok ? editModel(built.module, all) : built;
  if (!edited.ok) throw new Error(edited.findings[0]!.message);
  return { edits: all, edited };
}

function write(edits: Partial<ModelEdits>) {
  const made = change(edits);
  const { state } = made.edited.module;
  const floats = new Map(
    state.map(({ key, shape }) => [key, new Float32Array(numel(shape)).fill(0.5)] as const),
  );
  return writeAdapter(made.edits, made.edited, floats, { base: 'org/base', taskType: 'SEQ_CLS' });
}

const lora = (...targets: string[]) => ({ rank: 2, alpha: 3, dropout: 0.25, targets });
const bytes = (config: object) => new TextEncoder().encode(JSON.stringify(config));
const tensor = (...shape: number[]) =>
  tensorFromBytes(new Uint8Array(4 * numel(shape)), 'float32', shape);

describe('an adapter', () => {
  test('has the options and keys of PEFT', () => {
    const { config, tensors, notes } = write({
      lora: lora('block.proj'),
      head: { module: 'head', outputs: 5 },
    });
    expect(JSON.parse(config)).toMatchObject({
      peft_type: 'LORA',
      r: 2,
      lora_alpha: 3,
      lora_dropout: 0.25,
      target_modules: ['block.proj'],
      modules_to_save: ['head'],
      bias: 'none',
      fan_in_fan_out: false,
      task_type: 'SEQ_CLS',
      base_model_name_or_path: 'org/base',
    });
    expect([...tensors.keys()]).toEqual([
      'base_model.model.block.proj.lora_A.weight',
      'base_model.model.block.proj.lora_B.weight',
      'base_model.model.head.weight',
      'base_model.model.head.bias',
    ]);
    expect(notes.map(({ code }) => code)).toEqual(['peft-buffers']);
  });

  test.each([
    [['proj'], ['proj']],
    [
      ['*.proj', 'proj'],
      ['block.proj', 'proj'],
    ],
    [
      ['block.fc', 'pr?j'],
      ['block.proj', 'block.fc', 'proj'],
    ],
  ])('names its layers so that PEFT finds them: %j', (targets, names) => {
    expect(JSON.parse(write({ lora: lora(...targets) }).config)).toMatchObject({
      target_modules: names,
    });
  });

  test('names them by a pattern where a shorter path would find more', () => {
    const { config } = write({ lora: lora('proj'), head: { module: 'block.proj', outputs: 4 } });
    expect(JSON.parse(config)).toMatchObject({ target_modules: 'proj' });
  });

  test('is refused where its head has the end of another name', () => {
    expect(() => write({ lora: lora('fc'), head: { module: 'proj', outputs: 6 } })).toThrow(
      'peft: modules_to_save cannot tell the head "proj" from "block.proj"',
    );
  });

  test('is refused where more was trained than it holds', () => {
    expect(() => write({ lora: lora('proj'), freeze: ['!norm.*'] })).toThrow(
      'peft: "norm.weight" was trained beside the adapter, which has no place for it',
    );
    expect(() => write({})).toThrow('peft: the model has no LoRA');
  });

  test('comes back as the changes that it needs', () => {
    const { config, tensors } = write({ lora: lora('fc'), head: { module: 'head', outputs: 5 } });
    const adapter = readAdapter(new TextEncoder().encode(config), tensors);
    expect(adapter.edits).toEqual({
      lora: lora('block.fc'),
      head: { module: 'head', outputs: 5 },
    });
    const { edited } = change(adapter.edits);
    expect([...adapterValues(edited, adapter).keys()].sort()).toEqual([...edited.fresh].sort());
  });

  const config = { peft_type: 'LORA', r: 2, lora_alpha: 4 };
  const update = {
    'base_model.model.proj.lora_A.weight': tensor(2, 4),
    'base_model.model.proj.lora_B.weight': tensor(6, 2),
  };
  test.each([
    [{ ...config, use_dora: true }, {}, 'peft: use_dora true is not supported'],
    [{ ...config, peft_type: 'IA3' }, {}, 'peft: peft_type "IA3" is not supported'],
    [{ ...config, bias: 'all' }, {}, 'peft: bias "all" is not supported'],
    [{ ...config, rank_pattern: { proj: 4 } }, {}, 'peft: rank_pattern of single layers'],
    [{ ...config, r: 'two' }, {}, 'peft: adapter_config.json has no number r'],
    [config, { 'model.x': tensor(1) }, 'peft: the key "model.x" is none of an adapter'],
    [
      config,
      { 'base_model.model.x.lora_embedding_A': tensor(1) },
      'peft: the key "base_model.model.x.lora_embedding_A" is not supported',
    ],
    [
      config,
      { 'base_model.model.a.weight': tensor(1), 'base_model.model.b.weight': tensor(1) },
      'peft: modules_to_save other than one layer is not supported',
    ],
  ])('is refused: %j', (options, more, message) => {
    const weights = new Dict(Object.entries({ ...update, ...more }));
    expect(() => readAdapter(bytes(options), weights)).toThrow(message);
  });

  test('of another model is refused', () => {
    const { edited } = change({ lora: lora('block.proj') });
    const adapter = readAdapter(bytes(config), new Dict(Object.entries(update)));
    expect(() => adapterValues(edited, adapter)).toThrow(
      'peft: the model has no "proj.lora_A.default.weight"',
    );
    const wide = { ...update, 'base_model.model.proj.lora_B.weight': tensor(8, 2) };
    const other = change({ lora: lora('proj') });
    expect(() =>
      adapterValues(other.edited, readAdapter(bytes(config), new Dict(Object.entries(wide)))),
    ).toThrow('has the shape [8, 2], the model needs [6, 2]');
  });
});

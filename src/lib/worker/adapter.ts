/** What LoRA has learned: as PEFT keeps it, or merged into the weights that it stands beside. */
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict, type Value } from '#lib/checkpoint/value.ts';
import { mergeLora } from '#lib/edit/merge_lora.ts';
import { CONFIG_FILE, WEIGHTS_FILE, writeAdapter } from '#lib/export/peft.ts';
import { zipProject } from '#lib/export/zip.ts';
import { memorySink } from '#lib/file/sink.ts';
import type { Format } from '#lib/formats/format.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { notYet } from './lab.state.ts';
import { metadataFor } from './save.file.ts';
import type { Workbench } from './workbench.ts';

/** Throws a FindingError where the model has no LoRA, or nothing was trained. */
export async function exportAdapter(
  bench: Workbench,
  which: 'best' | 'last',
  as: 'peft' | 'merged',
  signal: AbortSignal,
): Promise<File> {
  const { best, last, settings } = bench.training;
  const kept = which === 'best' ? (best ?? last) : last;
  const { lora } = bench.edits;
  if (!kept || !settings || !lora) {
    throw notYet(
      lora ? 'adapter: nothing was trained yet' : 'adapter: the model has no LoRA',
      'Put LoRA on the model on the Train page, and train it.',
    );
  }
  const floats = kept.weights.floats as ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  const written = async (root: Value, format: Format) => {
    const sink = memorySink();
    await format.write!(root, sink, { stem: 'adapter', metadata: metadataFor(format), signal });
    return sink.bytes();
  };
  if (as === 'merged') {
    const merged = mergeLora(floats, bench.edited.lora, lora);
    const bytes = await written(mergedState(bench, kept.weights.counters, merged), torch);
    return new File([bytes], `${settings.name}_merged_weights.pt`);
  }
  const isText = bench.task.kind === 'write';
  const taskType = isText ? 'CAUSAL_LM' : null;
  const made = writeAdapter(bench.edits, bench.edited, floats, { base: null, taskType });
  const zip = await zipProject(`${settings.name}_adapter`, [
    { path: CONFIG_FILE, content: made.config },
    { path: WEIGHTS_FILE, content: await written(made.tensors, safetensors) },
  ]);
  return new File([zip], `${settings.name}_adapter.zip`);
}

/** The state_dict of the model without LoRA: its order, ties and counters. */
function mergedState(
  { edited }: Workbench,
  counters: ReadonlyMap<string, bigint>,
  merged: ReadonlyMap<string, Float32Array<ArrayBuffer>>,
): Dict {
  const state = new Dict([], 'OrderedDict');
  for (const { key, shape } of edited.module.state) {
    const name = edited.moved.get(key) ?? key;
    const values = merged.get(name);
    const count = counters.get(key);
    if (values) state.set(name, tensorFromBytes(new Uint8Array(values.buffer), 'float32', shape));
    else if (count !== undefined) {
      const bytes = new Uint8Array(BigInt64Array.of(count).buffer);
      state.set(name, tensorFromBytes(bytes, 'int64', shape));
    }
  }
  return state;
}

/** The trained model as a PyTorch project, zipped. */
import type { Graph } from '#lib/architecture/graph.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { torch } from '#lib/formats/torch.read.ts';
import type { TokenizerFiles } from '#lib/export/data.ts';
import { settingsOfOptimizer } from '#lib/export/optimizer.ts';
import { projectFiles, type ProjectFile } from '#lib/export/project.ts';
import type { WholeSettings } from '#lib/export/train.ts';
import { zipProject } from '#lib/export/zip.ts';
import type { DataFile } from '#lib/inputs/data/given.ts';
import type { Dataset } from '#lib/inputs/data/dataset.ts';
import { splitData, splitIndices } from '#lib/inputs/data/split.ts';
import { parseOptimizer } from '#lib/checkpoint/optimizer.ts';
import { recogniseScheduler } from '#lib/optim/schedulers/recognise.ts';
import { LAST, BEST } from '#lib/training/keep.ts';
import type { Kept } from '#lib/training/kept.ts';
import type { RunSettings, ScalerSettings } from '#lib/training/settings.ts';
import { notYet, type LabState } from './lab.state.ts';
import { MAX_COPIED } from './run_place.ts';
import { dataGraph } from './run_session.ts';
import { projectCheckpoint } from './project_checkpoint.ts';
import type { Workbench } from './workbench.ts';

/** The project that goes on from the `best` or the `last` state. Throws a FindingError. */
export async function exportProject(
  state: LabState,
  which: 'best' | 'last',
  signal: AbortSignal,
): Promise<File> {
  const bench = state.needBench();
  const { settings, data, best, last } = bench.training;
  const kept = which === 'best' ? (best ?? last) : last;
  if (!kept || !settings || !data) {
    throw notYet('export: nothing was trained yet', 'Train the model first, if only for an epoch.');
  }
  const [{ lossOutput }, { resolveLoss }] = await Promise.all([
    import('#lib/training/check_loss.ts'),
    import('#lib/training/losses.ts'),
  ]);
  const graph = dataGraph(bench, data, 2, false);
  const at = lossOutput(graph);
  const shape = graph.nodes[graph.outputs[at]!]!.shape;
  const split = { ...settings.data, seed: settings.seed };
  const { train } = splitData(data, split);
  const loss = resolveLoss(settings.loss, train.classes, shape[1] ?? 1);
  const { whole, optimized } = await wholeSettings(bench, kept, { ...settings, loss });
  const { source } = bench;
  const candidate = state.source?.candidates.find(
    ({ name, file }) => name === source?.candidate && (source.file ?? file) === file,
  );
  const files = projectFiles({
    settings: whole,
    source:
      source && candidate
        ? {
            files: source.files,
            file: candidate.file,
            candidate: source.candidate,
            kind: candidate.kind,
            arguments: source.arguments,
          }
        : null,
    module: bench.module,
    edits: {
      ...bench.edits,
      lora: bench.edits.lora && {
        ...bench.edits.lora,
        paths: bench.edited.lora.map(({ path }) => path),
      },
    },
    optimized,
    data,
    split: settings.data.validationShare === 0 ? null : splitIndices(data, split),
    tokenizer: await tokenizerFiles(state, data),
    output: { name: outputName(graph, at), shape: shape.slice(1) },
    batch: kept.batch,
    files: await stateFiles(bench, { kept, best: best ?? kept }, state.dataFiles, signal),
  });
  const zip = await zipProject(settings.name, files);
  return new File([zip], `${settings.name}_project.zip`);
}

function outputName({ outputNames }: Graph, at: number): string {
  return outputNames[at]!;
}

/** Settings that leave nothing to a checkpoint: what it holds is read out of it. */
async function wholeSettings(
  bench: Workbench,
  kept: Kept,
  settings: RunSettings,
): Promise<{ whole: WholeSettings; optimized: 'all' | 'trained' }> {
  const { rules } = await import('#lib/optim/optimizer.ts');
  const saved = parseOptimizer(kept.optimizer)!;
  const count = saved.groups.reduce((sum, { ids }) => sum + ids.length, 0);
  const optimized = count === bench.parameters('trained').length ? 'trained' : 'all';
  const { found } = bench.matchOptimizer(kept.optimizer);
  if (!found) throw new Error('export: the optimizer of the kept state does not fit the model');
  const optimizer =
    settings.optimizer.name === 'checkpoint'
      ? settingsOfOptimizer(found.name, found.saved, found.keys, rules[found.name].defaults)
      : settings.optimizer;
  const scheduler =
    settings.scheduler?.name === 'checkpoint'
      ? scheduleOf(kept, settings.scheduler.interval)
      : settings.scheduler;
  const scaler = settings.scaler === 'checkpoint' ? scalerOf(kept.scaler) : settings.scaler;
  return { whole: { ...settings, optimizer, scheduler, scaler }, optimized };
}

function scheduleOf(kept: Kept, interval: 'step' | 'epoch'): WholeSettings['scheduler'] {
  const groups = parseOptimizer(kept.optimizer)!.groups.map(({ options }) => options);
  const recognised = kept.scheduler && recogniseScheduler(kept.scheduler, groups);
  return recognised ? { ...recognised.settings, interval } : null;
}

function scalerOf(saved: Kept['scaler']): ScalerSettings | null {
  if (!saved) return null;
  const number = (key: string) => Number(saved.get(key));
  return {
    init_scale: number('scale'),
    growth_factor: number('growth_factor'),
    backoff_factor: number('backoff_factor'),
    growth_interval: number('growth_interval'),
  };
}

/** last.pt, best.pt, and the data as long as it is not much. */
async function stateFiles(
  bench: Workbench,
  { kept, best }: { kept: Kept; best: Kept },
  data: readonly DataFile[],
  signal: AbortSignal,
): Promise<ProjectFile[]> {
  const written = async (path: string, state: Kept): Promise<ProjectFile> => {
    const settings = bench.training.settings!;
    const root: Value = projectCheckpoint(bench.checkpoint, bench, state, { settings });
    const sink = memorySink();
    await torch.write!(root, sink, { stem: path.replace(/\.pt$/, ''), signal });
    return { path, content: sink.bytes() };
  };
  const bytes = data.reduce((sum, { file }) => sum + file.size, 0);
  const examples = bytes <= MAX_COPIED ? data : [];
  return [
    await written(LAST, kept),
    await written(BEST, best),
    ...examples.map(({ path, file }) => ({ path: `data/${path}`, content: file })),
  ];
}

/** The files of the tokenizer that made the ids of a text. */
async function tokenizerFiles(
  state: LabState,
  { recipe }: Dataset,
): Promise<TokenizerFiles | null> {
  if (recipe.kind !== 'text' || recipe.characters) return null;
  const texts = await Promise.all(
    state.tokenizerFiles.map(async (file) => ({ path: file.name, text: await file.text() })),
  );
  const has = (name: string) => texts.some(({ path }) => path === name);
  const kind = has('tokenizer.json')
    ? 'json'
    : has('vocab.json')
      ? 'byte_level_bpe'
      : has('vocab.txt')
        ? 'word_piece'
        : null;
  if (kind) return { kind, files: texts };
  throw new FindingError({
    code: 'export-tokenizer',
    message: 'export: the tokenizer came out of the checkpoint and has no files of its own',
    advice: 'Open the data with its characters, or with a tokenizer.json.',
  });
}

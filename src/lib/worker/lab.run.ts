/** Forward passes, texts, checks, and the inside of a pass. */
import { findClassNames, readClassNames } from '#lib/inputs/class_names.ts';
import { imagenetNames, imagenetSource } from '#lib/inputs/imagenet.ts';
import { namedTensors, openForUse } from '#lib/inputs/open_for_use.ts';
import { findScaler, parseCsv } from '#lib/inputs/table.ts';
import { findVocabulary } from '#lib/inputs/tokenizer.vocabulary.ts';
import { label } from '#lib/inspect/repr.ts';
import { checkAgainst } from './checking.ts';
import { compareTexts } from './comparing.ts';
import { tokensForGraph } from './graph_view.ts';
import { exampleOf } from './lab.train.ts';
import { attempt, notYet, type Handlers, type LabState } from './lab.state.ts';
import type { GraphCalls } from './protocol.graph.ts';
import type { RunCalls, RunInput } from './protocol.run.ts';
import { makeInputs, type Sources } from './running.ts';
import { openTokenizer } from './texts.ts';
import { writeText } from './writing.ts';

export function runHandlers(state: LabState): Handlers<keyof RunCalls | keyof GraphCalls> {
  return {
    run: ({ input, top }, { signal }) =>
      attempt(signal, async () => {
        const bench = state.needBench();
        const sources = await sourcesOf(state, input);
        const run = await state.onBackend((backend) =>
          bench.run({ input, sources, top, backend, signal }),
        );
        return { run };
      }),
    arrays: ({ file }, { signal }) =>
      attempt(signal, async () => {
        state.arrays = namedTensors(await openForUse(file, signal));
        const arrays = [...state.arrays].map(([name, { dtype, shape }]) => {
          return { name: label(name), dtype, shape: [...shape] };
        });
        return { arrays: { name: file.name, arrays } };
      }),
    table: ({ text, features }, { signal }) =>
      attempt(signal, async () => {
        const { columns, rows } = parseCsv(text);
        const scaler = await findScaler(state.opened?.checkpoint.root ?? null, features);
        return {
          table: { columns: [...columns], rows: rows.length, scaler: scaler?.title ?? null },
        };
      }),
    classNames: ({ file, outputs = 0 }, { signal }) =>
      attempt(signal, async () => {
        if (file) {
          const names = readClassNames(new Uint8Array(await file.arrayBuffer()), file.name);
          return { found: { names, from: file.name, isGuess: false } };
        }
        const { root, name } = state.need().checkpoint;
        const own = findClassNames(root);
        if (own) return { found: { names: own, from: label(name), isGuess: false } };
        const known = await imagenetNames(outputs);
        return { found: known && { names: known, from: imagenetSource, isGuess: true } };
      }),
    tokenizer: ({ files }, { signal }) =>
      attempt(signal, async () => {
        const { root, name } = state.need().checkpoint;
        if (files.length > 0) {
          state.tokenizer = await openTokenizer(files, signal);
          state.tokenizerFiles = files;
        } else state.tokenizer ??= findVocabulary(root, name);
        const { title = '', size = 0 } = state.tokenizer ?? {};
        return { tokenizer: state.tokenizer && { title: label(title), size } };
      }),
    write: (settings, { signal, progress }) =>
      attempt(signal, async () => {
        const bench = state.needBench();
        const tokenizer = state.needTokenizer();
        const written = await state.onBackend((backend) =>
          writeText(bench.runner(backend), tokenizer, bench.task, settings, { signal, progress }),
        );
        return { written };
      }),
    compare: (texts, context) =>
      attempt(context.signal, async () => {
        const bench = state.needBench();
        const tokenizer = state.needTokenizer();
        const compared = await state.onBackend((backend) =>
          compareTexts(bench.runner(backend), tokenizer, bench.task, texts, context),
        );
        return { compared };
      }),
    check: ({ file }, context) =>
      attempt(context.signal, async () => {
        const bench = state.needBench();
        const root = await openForUse(file, context.signal);
        const checked = await state.onBackend((backend) =>
          checkAgainst(bench.runner(backend), root, file.name, context),
        );
        return { checked };
      }),
    backend: (_, { signal }) =>
      attempt(signal, async () => {
        const { check, ...backend } = await state.startBackend();
        return { backend };
      }),
    measure: ({ input }, context) =>
      attempt(context.signal, async () => {
        const bench = state.needBench();
        const { runs } = bench;
        const graph = await state.onBackend(async (backend) => {
          if (input.kind === 'text') {
            const tokenizer = state.needTokenizer();
            const text = tokensForGraph(input.text, bench.runner(backend), tokenizer, bench.task);
            return bench.measure({ ...text, backend, runs, ...context });
          }
          const inputs = await makeInputs(input, await sourcesOf(state, input), context.signal);
          return bench.measure({ inputs, tokens: null, backend, runs, ...context });
        });
        return { graph };
      }),
    look: (args, { signal }) =>
      attempt(signal, async () => {
        const bench = state.needBench();
        const view = bench.graphView;
        if (!view) throw notYet('graph: no pass is measured', 'Measure one on the Run page first.');
        const seen = await state.onBackend((backend) =>
          view.look(bench.runner(backend), args, signal),
        );
        return { seen };
      }),
  };
}

/** What an input may refer to. */
async function sourcesOf(state: LabState, input: RunInput): Promise<Sources> {
  return {
    example:
      input.kind === 'example' ? await exampleOf(state, input.split, input.index) : undefined,
    arrays: state.arrays,
    root: state.opened?.checkpoint.root ?? null,
  };
}

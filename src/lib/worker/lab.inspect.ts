/** Looking into one tensor. */
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor } from '#lib/checkpoint/value.ts';
import { indexTensor } from '#lib/inspect/index_expression.ts';
import { neighbours } from '#lib/inspect/neighbours.ts';
import { singularValues } from '#lib/inspect/singular_values.ts';
import { tensorPictures } from '#lib/inspect/tensor_pictures.ts';
import { tensorStatistics } from '#lib/inspect/tensor_statistics.ts';
import type { Tokenizer } from '#lib/inputs/tokenizer.ts';
import { arrayDownload } from './array_download.ts';
import { boxOf, cellsOf, describeSlice } from './cells.ts';
import { attempt, type Handlers, type LabState } from './lab.state.ts';
import { literalOf } from './literal.ts';
import { paced } from './paced.ts';
import type { InspectCalls, Neighbours, Part, TensorPlace } from './protocol.inspect.ts';

export function inspectHandlers(state: LabState): Handlers<keyof InspectCalls> {
  return {
    tensorSlice: (place, { signal }) =>
      attempt(signal, async () => ({
        slice: describeSlice(wholeAt(state, place), tensorAt(state, place)),
      })),
    tensorCells: ({ start, size, ...place }, { signal }) =>
      attempt(signal, async () => ({
        cells: await cellsOf(boxOf(tensorAt(state, place), start, size), signal),
      })),
    tensorStatistics: (place, context) =>
      attempt(context.signal, async () => ({
        statistics: await tensorStatistics(tensorAt(state, place), workOf(context)),
      })),
    tensorPictures: ({ start, count, by, ...place }, context) =>
      attempt(context.signal, async () => ({
        pictures: await tensorPictures(
          tensorAt(state, place),
          { start, count, by },
          workOf(context),
        ),
      })),
    tensorNeighbours: ({ row, count, by, ...place }, context) =>
      attempt(context.signal, async () => {
        const tensor = tensorAt(state, place);
        const rows = await neighbours(tensor, row, { by, count }, workOf(context));
        const tokens = tokensOf(state.tokenizer, tensor, [row, ...rows.map((it) => it.row)]);
        return { neighbours: { row, by, rows, tokens } };
      }),
    tensorSingularValues: (place, context) =>
      attempt(context.signal, async () => ({
        values: await singularValues(tensorAt(state, place), workOf(context)),
      })),
    tensorLiteral: (place, { signal }) =>
      attempt(signal, async () => ({ literal: await literalOf(tensorAt(state, place), signal) })),
    tensorArray: ({ name, ...place }, context) =>
      attempt(context.signal, () =>
        arrayDownload(tensorAt(state, place), name, {
          openFile: state.openFile,
          ...workOf(context),
        }),
      ),
  };
}

function wholeAt(state: LabState, { node }: TensorPlace): Tensor {
  const value = state.need().outline.value(node);
  if (!isTensor(value)) throw new Error(`tensor: row ${node} is no tensor`);
  return value;
}

function tensorAt(state: LabState, place: TensorPlace): Tensor {
  return indexTensor(wholeAt(state, place), place.index);
}

/** What long work is given; progress is told a few times a second. */
function workOf({ signal, progress }: { signal: AbortSignal; progress(part: Part): void }) {
  const report = paced(progress);
  return { signal, progress: (part: Part) => report(part, part.done === part.total) };
}

/** The tokens that the rows of an embedding stand for. */
function tokensOf(
  tokenizer: Tokenizer | null,
  { shape }: Tensor,
  [row, ...rows]: number[],
): Neighbours['tokens'] {
  if (!tokenizer || row === undefined || tokenizer.size > shape[0]!) return null;
  const token = (id: number) => (id < tokenizer.size ? tokenizer.decode([id]) : '');
  return { row: token(row), rows: rows.map(token) };
}

/** edits.py and the statements that call it: how the model was changed, and what of it is trained. */
import { editsSource } from '#lib/architecture/edit_model.ts';
import type { Lora, ModelEdits } from '#lib/architecture/edits.ts';
import { pythonCall, pythonLiteral, pythonNumber, pythonString } from './python/literal.ts';

/** What was done to the model after its constructor. */
export interface ProjectEdits {
  readonly head: ModelEdits['head'];
  readonly freeze: ModelEdits['freeze'];
  /** With the paths of the layers that have it, in the place of the targets. */
  readonly lora: (Omit<Lora, 'targets'> & { readonly paths: readonly string[] }) | null;
}

export interface PythonEdits {
  /** Of edits.py; null where the model is as its constructor made it. */
  readonly text: string | null;
  readonly module: string;
  /** What train.py imports of it. */
  readonly functions: readonly string[];
  /** What is done to `model`. */
  readonly statements: readonly string[];
}

export function pythonEdits({ head, lora, freeze }: ProjectEdits, module: string): PythonEdits {
  const functions: string[] = [];
  const statements: string[] = [];
  if (head) {
    functions.push('replace_head');
    const given = ['model', pythonString(head.module), String(head.outputs)];
    statements.push(pythonCall('replace_head', given));
  }
  if (lora) {
    functions.push('add_lora');
    const { paths, rank, alpha, dropout } = lora;
    statements.push(
      pythonCall('add_lora', [
        'model',
        pythonLiteral(paths),
        `rank=${rank}`,
        `alpha=${pythonNumber(alpha)}`,
        `dropout=${pythonNumber(dropout)}`,
      ]),
    );
  }
  // As PEFT: the base is not trained, its new head is.
  const own = head ? [`!${head.module}.*`] : [];
  const globs = lora ? ['*', '!*.lora_[AB].*', ...own, ...freeze] : freeze;
  if (globs.length > 0) {
    statements.push(pythonCall('freeze', ['model', pythonLiteral(globs)]));
  }
  return {
    text: functions.length > 0 ? editsSource : null,
    module,
    functions: functions.toSorted(),
    statements,
  };
}

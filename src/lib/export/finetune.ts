/** finetune.py and the statements that call it: how the model was changed, and what of it is trained. */
import type { ModelEdits } from '#lib/architecture/edits.ts';
import { keywords, pythonCall, pythonLiteral, pythonString } from './python/literal.ts';
import { fillTemplate } from './python/template.ts';
import template from './templates/finetune.py?raw';

export interface PythonFinetuning {
  /** Null where nothing of it is needed. */
  readonly text: string | null;
  readonly module: string;
  /** What train.py imports. */
  readonly functions: readonly string[];
  /** What is done to `model`. */
  readonly statements: readonly string[];
}

/** Renaming is no part of it: the project's checkpoint has the model's own names. */
export function pythonFinetuning(
  { head, lora, freeze }: ModelEdits,
  { module, hasGroups, trainedOnly }: { module: string; hasGroups: boolean; trainedOnly: boolean },
): PythonFinetuning {
  const steps: [name: string, statement: string][] = [];
  if (head) {
    const given = ['model', pythonString(head.module), String(head.outputs)];
    steps.push(['replace_head', pythonCall('replace_head', given)]);
  }
  if (freeze.length > 0) {
    steps.push(['freeze', pythonCall('freeze', ['model', pythonLiteral(freeze)])]);
  }
  if (lora) {
    const { targets, rank, alpha, dropout } = lora;
    const given = ['model', ...keywords({ targets, rank, alpha, dropout })];
    steps.push(['add_lora', pythonCall('add_lora', given)]);
  }
  const flags = {
    head: head !== null,
    lora: lora !== null,
    layers: head !== null || lora !== null,
    freeze: freeze.length > 0,
    groups: hasGroups,
    trained_only: trainedOnly,
    patterns: freeze.length > 0 || hasGroups,
    globs: lora !== null || freeze.length > 0 || hasGroups,
  };
  const functions = steps.map(([name]) => name);
  if (hasGroups) functions.push('group_parameters');
  return {
    text: functions.length > 0 ? fillTemplate(template, { flags, places: {} }) : null,
    module,
    functions: functions.toSorted(),
    statements: steps.map(([, statement]) => statement),
  };
}

/** README.md: what lies where, and the two commands. */
import type { ProjectParts } from './project.ts';

const isZip = (file: string) => /\.zip$/i.test(file);
/** Long lists of files say how many more there are. */
const SHOWN = 6;

export function readme(parts: ProjectParts): string {
  const { settings, data, source, edits, split } = parts;
  const { files } = data.recipe;
  const shown = files.slice(0, SHOWN).map(code).join(', ');
  const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : '';
  const model = (source?.files.length ?? 0) > 1 ? '`source/`' : '`model.py`';
  const hasData = parts.files.some(({ path }) => path.startsWith('data/'));
  const isChanged = edits.head !== null || edits.lora !== null;
  return `# ${settings.name.replace(/[^\p{L}\p{N} _-]/gu, ' ').trim() || 'Run'}

A training run exported from Weightroom. It goes on from \`last.pt\` in plain PyTorch.

1. \`pip install -r requirements.txt\`
2. ${hasData ? 'The data lies in' : 'Put the data into'} \`data/\`; \`--data\` names another folder: ${shown}${more}${files.some(isZip) ? ', unpacked' : ''}.
3. \`python train.py\`, or \`torchrun --nproc_per_node=2 train.py\` with a process for each GPU; on many machines add \`--nnodes\`, \`--rdzv_backend=c10d\` and \`--rdzv_endpoint=HOST:29500\`.

${model} is the model${isChanged ? ', `edits.py` what was changed of it' : ''}; \`train.py\` has the optimizer, the loss and the loop; \`data.py\` makes the examples${split ? ', the same ones are held out' : ''}. Each epoch writes \`last.pt\`, \`best.pt\` and a row of \`metrics.csv\`; \`--epochs\` says how many more there are, \`--resume\` which checkpoint to go on from. The order of examples and dropout's masks are PyTorch's own, so losses agree with Weightroom's by their course and not digit by digit.
`;
}

/** A name as code, whatever signs are in it. */
function code(name: string): string {
  const text = name.replace(/[\p{C}\p{Z}]/gu, ' ');
  return text.includes('`') ? `\`\` ${text.replaceAll('``', "''")} \`\`` : `\`${text}\``;
}

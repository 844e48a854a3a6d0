/**
 * `npm run adapters`: LoRA adapters that PEFT writes, merged here and by PEFT's `merge_and_unload`. PEFT
 * is that of the Python that WEIGHTROOM_PYTHON names. Ends with 1 where a weight differs by more than
 * rounding, where a name does, or where what is more than LoRA is not refused with the reason below.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseLiteral } from '#lib/architecture/literal.ts';
import { applyEdits } from '#lib/edit/apply.ts';
import type { Edit } from '#lib/edit/edits.ts';
import { memorySink } from '#lib/file/sink.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { open } from './parity/lab.ts';
import { runPython } from './python.ts';

/** Units of a dtype's precision that a weight may differ by, of the largest one of its tensor. */
const BOUND = 4;

/** What is refused, and for what reason. */
const refusals: Readonly<Record<string, RegExp>> = {
  pattern: /alpha_pattern has .* more than a name/,
  turned_square: /inputs on either axis/,
  pissa: /init_lora_weights is pissa/,
  olora: /init_lora_weights is olora/,
  dora: /another method than LoRA/,
  dora_layers: /another method than LoRA/,
  lora_bias: /another method than LoRA/,
  tokens: /another method than LoRA/,
  alora: /alora_invocation_tokens is set/,
  grouped: /the weight "grouped.weight" is float32 \[6, 2, 3, 3\]/,
  several: /several adapters: default, other/,
};

const python = process.env.WEIGHTROOM_PYTHON;
if (!python) {
  console.error('adapters: WEIGHTROOM_PYTHON names no Python with peft and transformers');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'weightroom-adapters-'));
const judge = async <T>(what: string) => {
  const text = await runPython('tests/judge/adapters.py', [what, folder], { python });
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
};

/** Merges the adapter of a case; gives why not. */
async function merge(name: string): Promise<string> {
  const place = join(folder, name);
  const edit: Edit = { kind: 'lora', in: null, other: 0, scaling: null };
  const { root, ok, steps } = applyEdits(await open(join(place, 'base.pt')), [edit], {
    others: new Map([[0, await open(join(place, 'adapter'))]]),
    literal: parseLiteral,
  });
  if (!ok) return steps[0]!.findings[0]!.message;
  const sink = memorySink();
  await torch.write!(root, sink, { stem: 'merged', metadata: new Map() });
  writeFileSync(join(place, 'got.pt'), sink.bytes());
  return '';
}

let wrong = 0;
try {
  const made = await judge<{ name: string; merged: boolean }>('make');
  const refused = new Map<string, string>();
  for (const { name } of made) refused.set(name, await merge(name));
  const compared = await judge<{ name: string; error: number; keys: string[] }>('compare');
  const results = new Map(compared.map((it) => [it.name, it]));
  for (const { name, merged } of made) {
    const [why, reason, result] = [refused.get(name)!, refusals[name], results.get(name)];
    const isEqual = result !== undefined && result.error <= BOUND && result.keys.length === 0;
    const isGood = reason ? reason.test(why) : merged && isEqual;
    if (!isGood) wrong++;
    const differs = result?.keys.length ? ` ${result.keys.join(', ')}` : '';
    const told = why ? `refused: ${why}` : `${result?.error.toFixed(2)} units${differs}`;
    console.log(`${isGood ? 'ok   ' : 'WRONG'} ${name.padEnd(16)} ${told}`);
  }
  console.log(`${made.length} adapters: ${made.length - wrong} as they should be, ${wrong} wrong`);
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = wrong === 0 ? 0 : 1;

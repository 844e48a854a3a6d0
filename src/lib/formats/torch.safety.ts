import type { CallRecord } from '#lib/checkpoint/checkpoint.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { readPickle, type Pickle, type PickleCall, type PickleName } from '#lib/pickle/read.ts';
import { isAllowed, isDangerous } from './torch.names.ts';

/** Names that a message lists, and findings and calls that are kept: a file may name millions. */
const MAX_LISTED = 8;
const MAX_KEPT = 100;

/** Code of the finding that a file names what runs commands or code. */
export const DANGEROUS = 'pickle-dangerous';

/** Reads a pickle and judges the names in it. */
export function judgedPickle(bytes: Uint8Array): {
  pickle: Pickle;
  findings: Finding[];
  calls: CallRecord[];
} {
  const pickle = readPickle(bytes);
  const findings = judge(pickle);
  if (pickle.end < bytes.length) {
    findings.push({
      code: 'pickle-trailing',
      severity: 'warning',
      where: `byte ${pickle.end}`,
      message: `pickle: ${bytes.length - pickle.end} bytes follow the pickle and were not read`,
    });
  }
  return { pickle, findings, calls: recordsOf(pickle) };
}

/** What several pickles of one file name and would call, as if they were one. */
export function union(pickles: readonly Pickle[]): Pick<Pickle, 'calls' | 'names'> {
  const calls = new Map<string, PickleCall>();
  const names = new Map<string, PickleName>();
  for (const pickle of pickles) {
    for (const call of pickle.calls) {
      const known = calls.get(call.name);
      calls.set(call.name, known ? { ...known, count: known.count + call.count } : call);
    }
    for (const named of pickle.names) {
      const { module, name } = named.global;
      if (!names.has(`${module}\0${name}`)) names.set(`${module}\0${name}`, named);
    }
  }
  return { calls: [...calls.values()], names: [...names.values()] };
}

/** The calls that unpickling would make, the first of them. */
export function recordsOf({ calls }: Pick<Pickle, 'calls'>): CallRecord[] {
  return calls.slice(0, MAX_KEPT).map(({ name, count, global }) => ({
    name,
    count,
    allowed: isAllowed(global),
  }));
}

/**
 * What the names in a pickle say. One that PyTorch does not know is a warning, as PyTorch would
 * refuse it; one that runs commands or code is an error. Their calls stay data, so the file opens.
 */
export function judge({ calls, names: named }: Pick<Pickle, 'calls' | 'names'>): Finding[] {
  const names = named.map(({ global }) => global);
  const findings: Finding[] = [];
  const dangerous = names.filter(isDangerous);
  if (dangerous.length > 0) {
    const shown = dangerous.slice(0, MAX_LISTED).map(({ module, name }) => `${module}.${name}`);
    const more = dangerous.length > MAX_LISTED ? ` and ${dangerous.length - MAX_LISTED} more` : '';
    const called = calls.find(({ global }) => isDangerous(global));
    findings.push({
      code: DANGEROUS,
      severity: 'error',
      where: called ? `byte ${called.offset}` : undefined,
      message: `pickle: unpickling this file would ${called ? 'call' : 'look up'} ${shown.join(', ')}${more}: nothing of it was executed`,
      advice:
        'Do not open it with torch.load(weights_only=False) or pickle.load. Get the weights from a source that you trust, best as .safetensors.',
    });
  }
  const unknown = names.filter((global) => !isAllowed(global) && !isDangerous(global));
  for (const { module, name } of unknown.slice(0, MAX_KEPT)) {
    findings.push({
      code: 'pickle-unknown-name',
      severity: 'warning',
      where: `${module}.${name}`,
      message: `torch.load(weights_only=True) refuses this file: it names ${module}.${name}`,
      advice:
        'What it would have made is shown as data. Save it here again to get a file that loads.',
    });
  }
  if (unknown.length > MAX_KEPT) {
    findings.push({
      code: 'pickle-unknown-name',
      severity: 'warning',
      message: `torch.load(weights_only=True) refuses this file: it names ${unknown.length - MAX_KEPT} more names that PyTorch does not know`,
    });
  }
  return findings;
}

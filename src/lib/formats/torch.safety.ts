import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import type { PickleCall } from '#lib/pickle/read.ts';
import { isAllowed, isDangerous } from './torch.names.ts';

/**
 * What the names in a pickle say. A name that runs commands or code refuses the file; one that
 * PyTorch does not know is a warning: its call stays data, and PyTorch would refuse it too.
 */
export function judge(
  calls: readonly PickleCall[],
  globals: Iterable<PickleCall['global']>,
): Finding[] {
  const names = [...globals];
  const dangerous = names.filter(isDangerous);
  if (dangerous.length > 0) {
    const list = dangerous.map(({ module, name }) => `${module}.${name}`).join(', ');
    const called = calls.find(({ global }) => isDangerous(global));
    throw new FindingError({
      code: 'pickle-dangerous',
      where: called ? `byte ${called.offset}` : undefined,
      message: `pickle: unpickling this file would ${called ? 'call' : 'look up'} ${list}: nothing of it was executed, and the file was not opened`,
      advice:
        'Do not open it with torch.load(weights_only=False) or pickle.load. Get the weights from a source that you trust, best as .safetensors.',
    });
  }
  const unknown = names.filter((global) => !isAllowed(global));
  return unknown.map(({ module, name }) => ({
    code: 'pickle-unknown-name',
    severity: 'warning',
    where: `${module}.${name}`,
    message: `torch.load(weights_only=True) refuses this file: it names ${module}.${name}`,
    advice:
      'What it would have made is shown as data. Save it here again to get a file that loads.',
  }));
}

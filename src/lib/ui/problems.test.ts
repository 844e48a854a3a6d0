import { expect, it } from 'vitest';
import { Problems, problemText } from './problems.svelte.ts';

it('copies what was tried, what was found and what was open then', () => {
  const problems = new Problems();
  let opened = 'Open: last.pth, PyTorch zip checkpoint';
  problems.about = () => opened;
  const advice = 'Save it again.';
  problems.add('Could not verify last.pth', [
    { code: 'zip', severity: 'error', where: 'data/3', message: 'zip: it ends early', advice },
  ]);
  opened = '';
  expect(problemText(problems.list[0]!).split('\n')).toEqual([
    'Could not verify last.pth',
    'error zip (data/3): zip: it ends early',
    '  Save it again.',
    'Open: last.pth, PyTorch zip checkpoint',
  ]);
});

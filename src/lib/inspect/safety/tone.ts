import type { SafetyReport } from './report.ts';

/** How a verdict is shown. `good` is the only green one, and nothing unknown may have it. */
export type Tone = 'good' | 'doubt' | 'bad';

type Judged = Pick<SafetyReport, 'verdict' | 'findings' | 'pickles'>;

/** Green where PyTorch takes the file, or the format holds no code, and nothing is wrong with it. */
export function toneOf(report: Judged): Tone {
  if (runsCode(report)) return 'bad';
  switch (report.verdict) {
    case 'loads':
    case 'plain':
      return report.findings.some(({ severity }) => severity === 'error') ? 'doubt' : 'good';
    case 'refused':
      return 'bad';
    case 'unreadable':
    case 'unscanned':
      return 'doubt';
    default:
      return report.verdict satisfies never;
  }
}

/** The verdict in a few words, for the banner. */
export function titleOf(report: Judged): string {
  if (runsCode(report)) return 'Loading this file can run code';
  const sound = toneOf(report) === 'good';
  switch (report.verdict) {
    case 'loads':
      return sound ? 'PyTorch loads this file' : 'PyTorch loads this file, but something is wrong';
    case 'plain':
      return sound ? 'This file holds no code' : 'No code in it, but the file is not sound';
    case 'refused':
      return 'PyTorch refuses this file';
    case 'unreadable':
      return 'Damaged: nothing can be promised';
    case 'unscanned':
      return 'Not looked into: nothing can be promised';
    default:
      return report.verdict satisfies never;
  }
}

/** Whether a pickle calls something that is known to run commands or code. */
function runsCode({ pickles }: Judged): boolean {
  return pickles.some(({ names }) =>
    names.some(({ standing, calls }) => standing === 'dangerous' && calls > 0),
  );
}

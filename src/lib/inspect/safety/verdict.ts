/** From what a scan found to what can be said in one word and one sentence. */
import type { Finding } from '#lib/checkpoint/finding.ts';
import type { Source } from '#lib/file/source.ts';
import type { PickleReport, SafetyReport } from './report.ts';

/** What the file is, as far as the verdict depends on it. */
export interface Container {
  readonly kind:
    | 'zip'
    | 'torchscript'
    | 'legacy'
    | 'tar'
    | 'pickle'
    | 'plain'
    | 'broken'
    | 'unscanned'
    | 'unknown';
  readonly format: string;
}

type Verdict = Pick<SafetyReport, 'verdict' | 'summary'>;

/** Names that a sentence lists. */
const MAX_LISTED = 4;

export async function verdictOf(
  container: Container,
  findings: readonly Finding[],
  pickles: readonly PickleReport[],
  _source: Source,
  _signal?: AbortSignal,
): Promise<Verdict> {
  const would = wouldRun(pickles);
  if (container.kind === 'unscanned' || container.kind === 'unknown') {
    return {
      verdict: 'unscanned',
      summary: `This is ${container.format}. The lab does not look into such files: nothing can be said about its safety.`,
    };
  }
  const broken = pickles.find(({ complete }) => !complete);
  if (container.kind === 'broken' || broken) {
    const why = findings.find(({ severity }) => severity === 'error')?.message ?? 'it is damaged';
    return {
      verdict: 'unreadable',
      summary: `It cannot be read to its end, so nothing can be promised: ${why}.${would}`,
    };
  }
  if (container.kind === 'plain') {
    return {
      verdict: 'plain',
      summary: 'The format holds numbers and texts and no code: there is nothing to run.',
    };
  }
  const unknown = pickles
    .flatMap(({ names }) => names)
    .find(({ standing }) => standing !== 'allowed');
  if (unknown) {
    return {
      verdict: 'refused',
      summary: `torch.load refuses it with weights_only=True, because it names ${unknown.name}.${would}`,
    };
  }
  return {
    verdict: 'loads',
    summary:
      'torch.load takes it with weights_only=True: it asks for nothing but what rebuilds tensors.',
  };
}

/** What would run without weights_only, as a sentence of its own. */
function wouldRun(pickles: readonly PickleReport[]): string {
  const names = pickles.flatMap(({ names }) => names);
  const called = names.filter(({ standing, calls }) => standing === 'dangerous' && calls > 0);
  const others = names.filter(({ standing, calls }) => standing === 'unknown' && calls > 0);
  const told = [...new Set([...called, ...others].map(({ name }) => name))];
  if (told.length === 0) return '';
  const more = told.length > MAX_LISTED ? ` and ${told.length - MAX_LISTED} more` : '';
  return ` Without weights_only it would call ${told.slice(0, MAX_LISTED).join(', ')}${more}.`;
}

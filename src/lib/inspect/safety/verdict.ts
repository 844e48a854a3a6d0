/** From what a scan found to what can be said in one word and one sentence. */
import type { Finding } from '#lib/checkpoint/finding.ts';
import type { Source } from '#lib/file/source.ts';
import { isTar } from '#lib/file/tar.read.ts';
import { judgeFile, type FileJudgement } from '#lib/formats/weights_only.file.ts';
import { plain } from '../repr.ts';
import { byteOf } from './pickles.ts';
import type { PickleReport, SafetyReport } from './report.ts';

/** What the file is, as far as the verdict depends on it. */
export interface Container {
  readonly kind:
    | 'zip'
    | 'torchscript'
    | 'legacy'
    | 'tar'
    /** A program of torch.export. */
    | 'exported'
    | 'pickle'
    /** An array of NumPy's that holds objects. */
    | 'objects'
    | 'plain'
    /** Several files of torch.save, one behind the other. */
    | 'chunks'
    | 'broken'
    | 'unscanned'
    | 'unknown';
  readonly format: string;
  /** Of chunks: what the model of weights_only says of the gravest. */
  readonly judged?: FileJudgement;
}

type Verdict = Pick<SafetyReport, 'verdict' | 'summary' | 'reason'>;

/** Names that a sentence lists. */
const MAX_LISTED = 4;
/** The first block of a tar. */
const HEAD = 512;

export async function verdictOf(
  container: Container,
  findings: readonly Finding[],
  pickles: readonly PickleReport[],
  source: Source,
  signal?: AbortSignal,
): Promise<Verdict> {
  const would = wouldRun(pickles);
  const { kind, format } = container;
  if (kind === 'unscanned' || kind === 'unknown') {
    return {
      verdict: 'unscanned',
      summary: `This is ${format}. The lab does not look into such files: nothing can be said about its safety.`,
    };
  }
  const isCut = pickles.some(({ complete }) => !complete);
  const isLost = kind === 'exported' && findings.some(({ code }) => code === 'pt2-broken');
  if (kind === 'broken' || isCut || isLost) {
    const why = findings.find(({ severity }) => severity === 'error')?.message ?? 'it is damaged';
    return {
      verdict: 'unreadable',
      summary: `It cannot be read to its end, so nothing can be promised: ${why}.${would}`,
    };
  }
  if (kind === 'plain') {
    return {
      verdict: 'plain',
      summary: 'The format holds numbers and texts and no code: there is nothing to run.',
    };
  }
  if (kind === 'objects') {
    return {
      verdict: 'refused',
      summary: `numpy.load refuses it unless told allow_pickle=True, and would then run its pickle.${would}`,
    };
  }
  if (kind === 'exported') {
    const isHarmless = pickles.every(({ names }) =>
      names.every(({ standing }) => standing === 'allowed'),
    );
    return {
      verdict: 'refused',
      summary: `torch.load does not read programs of torch.export; torch.export.load reads them, and unpickles without a check what weights_only refuses.${would || (isHarmless ? ' This one asks for nothing but what rebuilds tensors.' : '')}`,
    };
  }
  return judged(container.judged ?? (await judge(container, source, signal)), would);
}

async function judge(
  { kind }: Container,
  source: Source,
  signal?: AbortSignal,
): Promise<FileJudgement> {
  const refused = (message: string): FileJudgement => ({
    verdict: 'refused',
    reason: { message },
    record: '',
  });
  // PyTorch asks for a tar before it asks for anything but a zip.
  const head = await source.read(0, Math.min(HEAD, source.size), signal);
  if (kind === 'tar' || isTar(head))
    return refused('it is a tar, which PyTorch reads by running it');
  if (kind === 'pickle' && source.name === '.metadata') {
    return refused('torch.distributed.checkpoint reads this file with pickle.load, unchecked');
  }
  if (kind === 'pickle' && head[0] !== ZIP_MAGIC) {
    return refused('it is a pickle alone and not a file of torch.save');
  }
  return judgeFile(source, signal);
}

const ZIP_MAGIC = 0x50;

/** What the model of `weights_only` says, in words. Only what it takes for sure is called so. */
function judged({ verdict, reason, record }: FileJudgement, would: string): Verdict {
  if (verdict === 'loads' || !reason) {
    return {
      verdict: 'loads',
      summary:
        'torch.load takes it with weights_only=True: it asks for nothing but what rebuilds tensors.',
    };
  }
  const { offset, opcode } = reason;
  const message = plain(reason.message);
  const where = offset === undefined ? record : byteOf(plain(record), offset);
  const at = offset === undefined ? '' : ` (${where})`;
  const told = { message, ...(where && { where }), ...(opcode && { opcode }) };
  if (verdict === 'refused') {
    const summary = `torch.load refuses it with weights_only=True, because ${message}${at}.${would}`;
    return { verdict, summary, reason: told };
  }
  return {
    verdict: 'refused',
    summary: `Whether torch.load takes it with weights_only=True cannot be told from the file alone: ${message}${at}. Count it as refused.${would}`,
    reason: { ...told, unsure: true },
  };
}

/** What the verdict rests on, as a finding beside the others. */
export function reasonFinding({ reason }: Pick<SafetyReport, 'reason'>): Finding[] {
  if (!reason) return [];
  const { message, where, unsure } = reason;
  return [
    {
      code: unsure ? 'weights-only-unknown' : 'weights-only-refused',
      severity: 'warning',
      ...(where && { where }),
      message: unsure
        ? `weights_only: whether PyTorch takes it cannot be told: ${message}`
        : `weights_only: PyTorch refuses the file, because ${message}`,
      advice:
        'Where the lab opens it, the Save page writes its tensors and plain values without the rest.',
    },
  ];
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

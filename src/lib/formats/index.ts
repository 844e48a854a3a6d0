/**
 * The table of formats, in the order in which they are asked. The content decides, never the
 * file's name: a `.bin` may be a torch zip, a `.pt` may be anything.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError, findingOf, type Finding, type Result } from '#lib/checkpoint/finding.ts';
import type { Source } from '#lib/file/source.ts';
import { ZipError } from '#lib/file/zip.directory.ts';
import { openZip, type Zip } from '#lib/file/zip.read.ts';
import type { Format, Probe } from './format.ts';
import { gguf } from './gguf.ts';
import { npy } from './npy.ts';
import { npz } from './npz.ts';
import { pickle } from './pickle.ts';
import { pt2 } from './pt2.ts';
import { safetensors } from './safetensors.ts';
import { torchLegacy } from './torch.legacy.ts';
import { torch } from './torch.read.ts';
import { torchTar } from './torch.tar.ts';
import { torchScript } from './torchscript.ts';

export const formats: readonly Format[] = [
  torchScript,
  torch,
  pt2,
  torchTar,
  torchLegacy,
  npz,
  npy,
  gguf,
  safetensors,
  pickle,
];

/** Bytes that the formats may look at to recognise a file. */
const HEAD = 512;

/** Opens a checkpoint: reads its directory, not its tensors. */
export async function openCheckpoint(
  source: Source,
  signal?: AbortSignal,
): Promise<Result<{ checkpoint: Checkpoint }>> {
  try {
    const probe = await probeFile(source, signal);
    const format = formats.find((candidate) => candidate.match(probe));
    if (!format) throw unknownFile(probe);
    return { ok: true, checkpoint: await format.read(probe, signal) };
  } catch (error) {
    signal?.throwIfAborted();
    return { ok: false, findings: [named(source, error)] };
  }
}

/** Opens a file that is a part of something. Throws a FindingError that names the file. */
export async function openPart(source: Source, signal?: AbortSignal): Promise<Checkpoint> {
  const result = await openCheckpoint(source, signal);
  if (!result.ok) throw new FindingError(result.findings[0]!);
  return result.checkpoint;
}

async function probeFile(source: Source, signal?: AbortSignal): Promise<Probe> {
  if (source.size === 0) {
    throw new FindingError({
      code: 'file-empty',
      message: 'the file is empty (0 bytes)',
      advice: 'The download or the save did not finish: get the file again.',
    });
  }
  const head = await source.read(0, Math.min(HEAD, source.size), signal);
  // A local header, or the end record of an archive without entries.
  const isZip = startsWith(head, 'PK\x03\x04') || startsWith(head, 'PK\x05\x06');
  return { source, head, zip: isZip ? await openZipFile(source, signal) : null };
}

async function openZipFile(source: Source, signal?: AbortSignal): Promise<Zip> {
  try {
    return await openZip(source, signal);
  } catch (error) {
    throw new FindingError({
      code: error instanceof ZipError ? error.code : 'zip-broken',
      message: (error as Error).message,
      advice:
        'A torch.save or a download that was interrupted leaves such a file: get it again, or go back to the checkpoint before.',
    });
  }
}

function startsWith(head: Uint8Array, text: string): boolean {
  return [...text].every((character, index) => head[index] === character.charCodeAt(0));
}

/** What else a file may be, and what to do with it. */
function unknownFile({ head, zip }: Probe): FindingError {
  const unknown = (message: string, advice: string) =>
    new FindingError({ code: 'file-unknown', message, advice });
  if (zip) {
    const names = [...zip.entries.keys()];
    const shown = names.slice(0, 5).map((name) => JSON.stringify(name));
    return unknown(
      `a zip file, but no checkpoint: it holds neither data.pkl nor .npy, but ${shown.join(', ') || 'nothing'}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`,
      'Unpack it and open the checkpoint inside (.pt, .pth, .safetensors, .npz).',
    );
  }
  if (startsWith(head, 'version https://git-lfs')) {
    return unknown(
      'a Git LFS pointer, not the file that it stands for',
      'Run "git lfs pull" in the repository, or download the file itself.',
    );
  }
  const text = new TextDecoder().decode(head);
  if (/^\s*<(!doctype|html)/i.test(text)) {
    return unknown(
      'a web page, not a checkpoint',
      'The link led to a page about the file: use its download button.',
    );
  }
  if (!text.includes('\0') && !text.slice(0, -4).includes('\ufffd')) {
    return unknown(
      `a text file, not a checkpoint: it begins with ${JSON.stringify(text.trim().slice(0, 40))}`,
      'Choose the file that torch.save wrote. Python source goes to the Model page.',
    );
  }
  const magic = [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0'));
  return unknown(
    `not a format that the lab reads: it begins with the bytes ${magic.join(' ')}`,
    'The lab reads what torch.save writes (.pt, .pth), .safetensors, .gguf, .npz and .npy.',
  );
}

/** The finding of whatever was thrown, with the file's name in front of the sentence. */
function named(source: Source, error: unknown): Finding {
  const finding = findingOf(error, error instanceof ZipError ? error.code : 'file-broken');
  return {
    advice: 'The file is damaged or was not written by PyTorch: get it again, or save it again.',
    ...finding,
    message: `${source.name}: ${finding.message}`,
  };
}

/**
 * What can be said of the code in a TorchScript archive without compiling it. The language reaches
 * tensors alone, but for a few operators that read and write files, or call other machines, and for
 * operators of libraries beside PyTorch. The code is PyTorch's own print of it, one call as
 * `torch.save(…)` or `ops.quantized.relu6(…)` (torch/csrc/jit/serialization/python_print.cpp).
 */
import type { Finding } from '#lib/checkpoint/finding.ts';
import type { ZipListing } from '#lib/file/zip.directory.ts';
import { plain } from '../repr.ts';
import { byteOf } from './pickles.ts';
import { entryContent } from './zips.ts';

/** Code of one archive that is looked through; large models have about 2 MB of it. */
const MAX_CODE = 32 * 2 ** 20;
/** Findings of a kind. */
const MAX_FINDINGS = 20;

/** Operators that reach out of the model. */
const REACHING = /\b(?:torch|ops\.aten)\.(save|from_file)\(|\b(rpc_(?:sync|async|remote))\(/g;
/** An operator of a namespace; PyTorch's own are below. */
const OPERATOR = /\bops\.(\w+)\.(\w+)/g;
/** A method that torch.jit.load runs. */
const ON_LOADING = /^ {2}def __setstate__\(/gm;

/** Namespaces of operators that PyTorch itself registers (2.13). */
const own = new Set(
  'aten prim prims quantized _quantized quantization sparse mkldnn mkldnn_prepacked onednn mkl prepacked static_runtime profiler _native _caffe2 inductor export'.split(
    ' ',
  ),
);

/** What the code of an archive says of itself; nothing where there is none. */
export async function scriptFindings(
  listing: ZipListing,
  signal?: AbortSignal,
): Promise<Finding[]> {
  const sources = listing.entries.filter(({ name }) => /^[^/]+\/code\/.*\.py$/.test(name));
  if (sources.length === 0) return [];
  const size = sources.reduce((sum, entry) => sum + entry.size, 0);
  const findings: Finding[] = [
    {
      code: 'script-code',
      severity: 'info',
      message: `torchscript: the archive holds ${sources.length} files of code, ${size} bytes`,
      advice: 'torch.jit.load compiles it; it runs when the model is called, in part on loading.',
    },
  ];
  let left = MAX_CODE;
  for (const entry of sources) {
    left -= entry.size;
    if (left < 0) {
      findings.push({
        code: 'script-unread',
        severity: 'error',
        where: plain(entry.name),
        message: `torchscript: the code behind its first ${MAX_CODE} bytes was not looked through`,
      });
      break;
    }
    const { bytes } = await entryContent(listing, entry, signal);
    // Damage is told where the archive is looked into; a byte is a character, so that places count.
    if (bytes) findings.push(...codeFindings(new TextDecoder('latin1').decode(bytes), entry.name));
  }
  return findings;
}

function codeFindings(code: string, name: string): Finding[] {
  const at = (match: RegExpExecArray) => byteOf(plain(name), match.index);
  const found = (pattern: RegExp, isMeant: (match: RegExpExecArray) => boolean = () => true) =>
    firstOf(code.matchAll(pattern), isMeant);
  return [
    ...found(REACHING).map((match): Finding => {
      const operator = match[1] ? `torch.${match[1]}` : match[2]!;
      return {
        code: 'script-reaches-out',
        severity: 'error',
        where: at(match),
        message: `torchscript: the code calls ${operator}, which reaches files or other machines`,
        advice: 'Models have no reason for this. Do not run it.',
      };
    }),
    ...found(OPERATOR, ([, namespace]) => !own.has(namespace!)).map((match): Finding => ({
      code: 'script-unknown-operator',
      severity: 'warning',
      where: at(match),
      message: `torchscript: the code calls ${plain(match[0])}, which is no operator of PyTorch's own`,
      advice: 'What it does depends on the libraries that are loaded where the model runs.',
    })),
    ...found(ON_LOADING).map((match): Finding => ({
      code: 'script-on-loading',
      severity: 'warning',
      where: at(match),
      message: 'torchscript: the code has a __setstate__, which torch.jit.load runs',
    })),
  ];
}

/** The first matches that are meant; a file may hold millions. */
function firstOf(
  matches: Iterable<RegExpExecArray>,
  isMeant: (match: RegExpExecArray) => boolean,
): RegExpExecArray[] {
  const first: RegExpExecArray[] = [];
  for (const match of matches) {
    if (isMeant(match)) first.push(match);
    if (first.length >= MAX_FINDINGS) break;
  }
  return first;
}

/** What a checkpoint loses, or what becomes something else, where it is written in another format. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { isMeta, type Tensor } from '#lib/checkpoint/tensor.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import { numpyDescr } from '#lib/formats/numpy.ts';
import { codeByDtype } from '#lib/formats/safetensors.dtypes.ts';
import { storageClass } from '#lib/formats/torch.names.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import type { PlainTree } from './plain.ts';
import type { EditOutput } from './protocol.edit.ts';

type Format = EditOutput['format'];

/** Names that a sentence lists. */
const MAX_LISTED = 3;

const titles: Readonly<Record<Format, string>> = {
  pt: 'torch',
  pth: 'torch before 1.6',
  safetensors: 'safetensors',
  npz: 'npz',
};

/** `"a", "b", "c" and 4 more` */
export function listed(names: readonly string[]): string {
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return `${names.slice(0, MAX_LISTED).join(', ')}${more}`;
}

/** `1 tensor`, `2,000 tensors` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** What `plainOf` left out or changed, so that PyTorch takes the file. */
export function plainLosses({ changes, count }: PlainTree): Finding[] {
  const place = ({ path, what }: (typeof changes)[number]) => `${path || 'the whole'} (${what})`;
  const lost = changes.filter(({ became }) => became === undefined);
  const turned = changes.filter(({ became }) => became !== undefined);
  const unlisted = count - changes.length;
  const found: Finding[] = [];
  if (lost.length > 0) {
    const what = counted(lost.length + unlisted, 'object');
    found.push({
      code: 'loss-objects',
      severity: 'warning',
      message: `${what} that weights_only=True refuses ${lost.length + unlisted === 1 ? 'is' : 'are'} left out: ${listed(lost.map(place))}`,
      advice: 'The original file keeps them.',
    });
  }
  if (turned.length > 0) {
    const shown = turned.map((change) => `${place(change)} becomes ${change.became}`);
    found.push({ code: 'loss-changed', severity: 'info', message: listed(shown) });
  }
  return found;
}

/** What any format loses of where the checkpoint came from. */
export function originLosses({ program, sources, root }: Checkpoint, after: Value): Finding[] {
  const found: Finding[] = [];
  if (program || (sources?.length ?? 0) > 0) {
    found.push({
      code: 'loss-program',
      severity: 'warning',
      message: 'the code that the file carries beside its weights is left out',
      advice: 'The original file keeps it.',
    });
  }
  const encoded = [...tensorsIn(after)].filter(({ tensor }) => tensor.encoding);
  if (encoded.length > 0) {
    const kinds = [...new Set(encoded.map(({ tensor }) => tensor.encoding!))];
    found.push({
      code: 'loss-encoding',
      severity: 'info',
      message: `${counted(encoded.length, 'tensor')} stored as ${listed(kinds)} become ${encoded[0]!.tensor.dtype}`,
    });
  }
  const devices = new Set([...tensorsIn(root)].map(({ tensor }) => tensor.storage.location));
  const others = [...devices].filter((device) => device !== 'cpu' && device !== 'meta');
  if (others.length > 0) {
    found.push({
      code: 'loss-device',
      severity: 'info',
      message: `the device ${listed(others)} becomes cpu: torch.load needs no map_location then`,
    });
  }
  return found;
}

/** Tensors that the format cannot hold: errors. */
export function dtypeLosses(
  tensors: Iterable<{ name: string; tensor: Tensor }>,
  format: Format,
): Finding[] {
  const lacking = new Map<Dtype, string[]>();
  const meta: string[] = [];
  for (const { name, tensor } of tensors) {
    if (format !== 'pt' && isMeta(tensor.storage)) meta.push(name);
    if (holds(format, tensor.dtype)) continue;
    const names = lacking.get(tensor.dtype) ?? [];
    lacking.set(tensor.dtype, names);
    names.push(name);
  }
  const found = [...lacking].map(([dtype, names]): Finding => ({
    code: 'loss-dtype',
    severity: 'error',
    message: `${titles[format]} has no ${dtype}: ${listed(names)}`,
    advice:
      dtype.startsWith('bfloat') || dtype.startsWith('float8')
        ? 'Cast them to float32 first, which changes no number.'
        : 'Choose PyTorch’s own format, or drop them.',
  }));
  if (meta.length > 0) {
    found.push({
      code: 'loss-meta',
      severity: 'error',
      message: `${titles[format]} cannot hold tensors without elements (device meta): ${listed(meta)}`,
      advice: 'Drop them.',
    });
  }
  return found;
}

function holds(format: Format, dtype: Dtype): boolean {
  switch (format) {
    case 'pt':
      return true;
    case 'pth':
      return storageClass(dtype) !== undefined;
    case 'safetensors':
      return codeByDtype.has(dtype);
    case 'npz':
      return numpyDescr(dtype) !== undefined;
    default:
      return format satisfies never;
  }
}

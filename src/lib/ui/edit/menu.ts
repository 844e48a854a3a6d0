/** What can be added to the list, by groups. */
import type { Edit } from '#lib/worker/protocol.ts';

export interface MenuItem {
  readonly label: string;
  /** What it is for, where the label does not say it. */
  readonly hint?: string;
  readonly edits: readonly Edit[];
  /** Has something to fill in. */
  readonly form?: true;
}

const strip = (...prefixes: string[]): Edit => ({
  kind: 'rename',
  in: null,
  rules: prefixes.map((prefix) => ({ kind: 'strip', prefix })),
});
const all = ['*'];
const weightsOnly: Edit = { kind: 'extract', path: ["'state_dict'"] };

export const menu: readonly { readonly title: string; readonly items: readonly MenuItem[] }[] = [
  {
    title: 'Names',
    items: [
      { label: 'Strip module.', hint: 'DataParallel, DDP', edits: [strip('module.')] },
      { label: 'Strip _orig_mod.', hint: 'torch.compile', edits: [strip('_orig_mod.')] },
      {
        label: 'Lightning → weights',
        hint: 'extracts state_dict, strips model.',
        edits: [weightsOnly, strip('model.')],
      },
      { label: 'Rename by rules…', edits: [strip('')], form: true },
      {
        label: 'Rename by a table…',
        edits: [{ kind: 'names', in: null, names: [] }],
        form: true,
      },
    ],
  },
  {
    title: 'Tensors',
    items: [
      { label: 'Keep by name…', edits: [{ kind: 'keep', names: [] }], form: true },
      { label: 'Drop by name…', edits: [{ kind: 'drop', names: [] }], form: true },
      {
        label: 'Add or replace a tensor…',
        hint: 'from a .npy file or another checkpoint',
        edits: [{ kind: 'put', path: [], other: 0, from: [] }],
        form: true,
      },
    ],
  },
  {
    title: 'dtype',
    items: [
      { label: 'To bfloat16', edits: [{ kind: 'cast', names: all, to: 'bfloat16' }] },
      { label: 'To float16', edits: [{ kind: 'cast', names: all, to: 'float16' }] },
      { label: 'To float32', edits: [{ kind: 'cast', names: all, to: 'float32' }] },
      { label: 'Cast…', edits: [{ kind: 'cast', names: all, to: 'float8_e4m3fn' }], form: true },
    ],
  },
  {
    title: 'Storage',
    items: [
      {
        label: 'Compact views',
        hint: 'tensors that drag a larger storage along',
        edits: [{ kind: 'compact', names: all }],
      },
      { label: 'Untie', hint: 'shared tensors', edits: [{ kind: 'untie', names: all }] },
      {
        label: 'Tie…',
        hint: 'tensors with equal elements, by name',
        edits: [{ kind: 'tie', names: [] }],
        form: true,
      },
    ],
  },
  {
    title: 'Structure and values',
    items: [
      { label: 'Extract a part…', edits: [{ kind: 'extract', path: [] }], form: true },
      { label: 'Delete an entry…', edits: [{ kind: 'delete', path: [] }], form: true },
      { label: 'Set a value…', edits: [{ kind: 'set', path: [], value: '' }], form: true },
      { label: 'Flatten', edits: [{ kind: 'flatten', separator: '.' }] },
      { label: 'Unflatten', edits: [{ kind: 'unflatten', separator: '.' }] },
      { label: 'Metadata…', edits: [{ kind: 'metadata', entries: {} }], form: true },
    ],
  },
  {
    title: 'Combine',
    items: [
      {
        label: 'Average with others…',
        edits: [{ kind: 'merge', in: null, how: { kind: 'weighted', weights: [1] }, others: [] }],
        form: true,
      },
      {
        label: 'Join with others…',
        hint: 'keys of all',
        edits: [{ kind: 'merge', in: null, how: { kind: 'disjoint' }, others: [] }],
        form: true,
      },
      {
        label: 'Merge LoRA…',
        edits: [{ kind: 'lora', in: null, other: null, scaling: null }],
        form: true,
      },
    ],
  },
];

/** What can be added to the list, by groups. */
import type { Edit } from '#lib/worker/protocol.ts';
import { words } from './words.ts';

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

const { groups, ...items } = words.menu;

export const menu: readonly { readonly title: string; readonly items: readonly MenuItem[] }[] = [
  {
    title: groups.names,
    items: [
      { ...items.module, edits: [strip('module.')] },
      { ...items.compiled, edits: [strip('_orig_mod.')] },
      { ...items.lightning, edits: [weightsOnly, strip('model.')] },
      { ...items.rules, edits: [strip('')], form: true },
      { ...items.names, edits: [{ kind: 'names', in: null, names: [] }], form: true },
    ],
  },
  {
    title: groups.tensors,
    items: [
      { ...items.keep, edits: [{ kind: 'keep', names: [] }], form: true },
      { ...items.drop, edits: [{ kind: 'drop', names: [] }], form: true },
      { ...items.put, edits: [{ kind: 'put', path: [], other: 0, from: [] }], form: true },
      { ...items.cat, edits: [{ kind: 'cat', in: null, parts: [], whole: '' }], form: true },
      { ...items.chunk, edits: [{ kind: 'chunk', in: null, parts: [], whole: '' }], form: true },
    ],
  },
  {
    title: groups.dtype,
    items: [
      { ...items.bfloat16, edits: [{ kind: 'cast', names: all, to: 'bfloat16' }] },
      { ...items.float16, edits: [{ kind: 'cast', names: all, to: 'float16' }] },
      { ...items.float32, edits: [{ kind: 'cast', names: all, to: 'float32' }] },
      { ...items.cast, edits: [{ kind: 'cast', names: all, to: 'float8_e4m3fn' }], form: true },
    ],
  },
  {
    title: groups.storage,
    items: [
      { ...items.compact, edits: [{ kind: 'compact', names: all }] },
      { ...items.untie, edits: [{ kind: 'untie', names: all }] },
      { ...items.tie, edits: [{ kind: 'tie', names: [] }], form: true },
    ],
  },
  {
    title: groups.structure,
    items: [
      { ...items.extract, edits: [{ kind: 'extract', path: [] }], form: true },
      { ...items.delete, edits: [{ kind: 'delete', path: [] }], form: true },
      { ...items.set, edits: [{ kind: 'set', path: [], value: '' }], form: true },
      { ...items.flatten, edits: [{ kind: 'flatten', separator: '.' }] },
      { ...items.unflatten, edits: [{ kind: 'unflatten', separator: '.' }] },
      { ...items.metadata, edits: [{ kind: 'metadata', entries: {} }], form: true },
    ],
  },
  {
    title: groups.combine,
    items: [
      {
        ...items.average,
        edits: [{ kind: 'merge', in: null, how: { kind: 'weighted', weights: [1] }, others: [] }],
        form: true,
      },
      {
        ...items.join,
        edits: [{ kind: 'merge', in: null, how: { kind: 'disjoint' }, others: [] }],
        form: true,
      },
      {
        ...items.lora,
        edits: [{ kind: 'lora', in: null, other: null, scaling: null }],
        form: true,
      },
    ],
  },
];

/** What the page of the open checkpoint says: its head, the tree, and the details of a row. */
import { formatBytes, formatSeconds, plural } from '../format.ts';

const count = (number: number) => number.toLocaleString('en-US');

export const words = {
  emptyTitle: 'No checkpoint is open',
  emptyBody:
    'Open a .pt, .pth, .safetensors or .gguf file, a folder of shards, or a sample, to see what is inside.',
  emptyAction: 'Open a checkpoint',

  // Where there is little room, only the first word of a button is seen.
  safety: 'Safety',
  safetyMore: 'report',
  verify: 'Verify',
  verifyMore: 'file',
  verifyTitle: 'Reads every byte once and compares checksums',
  report: 'Report',
  reportTitle: 'Saves what is known of it as one page to keep or print',

  format: 'Format',
  size: 'Size',
  tensors: 'Tensors',
  elements: 'Elements',

  reporting: 'Writing the report',
  notReported: (name: string) => `Could not write a report of ${name}`,
  verifying: (name: string) => `Verifying ${name}`,
  notVerified: (name: string) => `Could not verify ${name}`,
  pace: (bytes: number, seconds: number) =>
    `${formatBytes(bytes)} read in ${formatSeconds(seconds)}, ${formatBytes(bytes / Math.max(seconds, 1e-3))}/s.`,
  checksums: (matching: number, storages: number) =>
    `${count(matching)} of ${plural(storages, 'storage')} match their CRC-32.`,
  noChecksums: (storages: number) =>
    `Every byte of ${plural(storages, 'storage')} can be read; the file holds no checksums.`,
  notListed: (path: string) => `Could not list ${path}`,

  showMore: (left: number) => `Show more of ${count(left)} left`,

  details: {
    title: 'Details',
    copyPath: 'Copy path',
    shape: 'Shape',
    copyShape: 'Copy shape',
    dtype: 'dtype',
    dtypeName: (dtype: string) => `torch.${dtype}`,
    elements: 'Elements',
    size: 'Size',
    bytes: (bytes: number) => `(${count(bytes)} bytes)`,
    location: 'Location',
    sharesStorage: 'Shares storage',
    note: 'Note',
    kind: 'Kind',
    value: 'Value',
    look: 'Look at the tensor',
    values: 'First values',
    copyValues: 'Copy values',
    reading: 'Reading…',
  },

  commands: {
    group: 'Checkpoint',
    look: (key: string) => `Look at ${key}`,
    lookWords: 'values tensor elements statistics histogram picture',
  },
} as const;

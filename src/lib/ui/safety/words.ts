/** What the Safety page says, and the panel that other pages show of it. */
import type { RecordRow } from '#lib/worker/protocol.ts';
import { formatBytes, formatCount, plural } from '../format.ts';

/** Columns that several lists have. */
const columns = { byte: 'Byte', name: 'Name' } as const;
const noCalls = 'It asks for no calls.';

export const words = {
  group: 'Safety',
  commands: {
    again: { title: 'Scan the file again', words: 'rescan repeat' },
    saveReport: { title: 'Save the safety report as JSON', words: 'download export' },
    rewrite: { title: 'Rewrite the file as PyTorch accepts it', words: 'weights_only plain' },
    open: (name: string) => ({ title: `Open ${name}, which was only looked into` }),
    scan: { title: 'Scan another file…', words: 'choose look into' },
    refused: { title: 'Show the calls that are not allowed', words: 'pickle reduce' },
    calls: { title: 'Show all calls of the pickle', words: 'reduce arguments' },
    trace: { title: 'Show the opcodes of the pickle', words: 'disassemble pickletools' },
  },

  empty: {
    title: 'Look into a file before anything loads it',
    body: 'Drop any checkpoint here, also one that does not open. It is read as data on this device; nothing in it is executed.',
    scan: 'Scan a file',
    /** What is shown of a file, and how. */
    shown: [
      ['Whether PyTorch takes it', 'what weights_only=True would do, and the first reason'],
      ['What it would run', 'each name and each call of its pickles, with the arguments as text'],
      ['What else is in it', 'opcodes, records, pickles inside of pickles, bytes after the end'],
    ],
  },

  facts: { format: 'Format', size: 'Size', pickles: 'Pickles', records: 'Records' },
  fileOf: (name: string) => `File of ${name}`,
  open: 'Open it',
  saveReport: 'Save report (JSON)',
  scanAnother: 'Scan another file',
  onlyLookedInto: 'This file is not open: it was only looked into. On the bench is',
  rewrite: 'Rewrite as a file that PyTorch accepts',
  findings: (count: number) => plural(count, 'finding'),
  looking: 'Looking into the file…',
  notLookedInto: 'It could not be looked into.',
  again: 'Try again',

  scanning: (name: string) => `Scanning ${name}`,
  notScanned: (name: string) => `Could not scan ${name}`,
  read: (bytes: number) => `${formatBytes(bytes)} read`,
  writingReport: 'Writing the report',
  reportNotSaved: 'Could not save the report',
  notListed: {
    calls: (file: string) => `Could not list the calls of ${file}`,
    opcodes: (file: string) => `Could not list the opcodes of ${file}`,
    records: (file: string) => `Could not list the records of ${file}`,
  },

  verdict: {
    title: 'Verdict',
    promise: 'Nothing of it was executed: it was read as data.',
  },

  pickle: {
    title: (where: string) => `Pickle ${where}`,
    facts: (protocol: number, bytes: number, opcodes: number, calls: number) =>
      `protocol ${protocol} · ${formatBytes(bytes)} · ${plural(opcodes, 'opcode')} · ${plural(calls, 'call')}`,
    breaksOff: 'breaks off',
    lists: 'What is listed',
    refused: 'Calls not allowed',
    allCalls: 'All calls',
    calls: 'Calls',
    opcodes: 'Opcodes',
    noCalls,
    callsOf: (where: string) => `Calls of ${where}`,
    opcodesOf: (where: string) => `Opcodes of ${where}`,
    columns: {
      ...columns,
      call: 'Call',
      arguments: 'Arguments',
      opcode: 'Opcode',
      argument: 'Argument',
    },
    /** A row as text to copy. */
    row: (byte: number, opcode: string) => `byte ${byte}: ${opcode}`,
  },

  names: {
    title: 'Names',
    columns: { ...columns, standing: 'weights_only', calls: 'Calls' },
    standing: { dangerous: 'runs code', unknown: 'unknown', allowed: 'allowed' },
    /** In the place of a number of calls. */
    onlyNamed: 'named',
    none: 'It names nothing: plain values only.',
  },

  records: {
    title: 'Records',
    count: (count: number) => `${formatCount(count)} in the order of the directory`,
    of: (name: string) => `Records of ${name}`,
    columns: { ...columns, size: 'Size', method: 'Method', crc: 'CRC-32' },
    /** A row as text to copy. */
    row: ({ name, offset, size, compressedSize, method, crc32 }: RecordRow) =>
      `${name}: byte ${offset}, ${size} bytes, ${method}` +
      (method === 'stored' ? '' : ` as ${compressedSize} bytes`) +
      (crc32 ? `, CRC-32 ${crc32}` : ''),
  },

  sources: {
    title: 'Python sources',
    count: (count: number) => `${plural(count, 'class', 'classes')}, kept as text and never run`,
    size: (lines: number, bytes: number) => `${plural(lines, 'line')} · ${formatBytes(bytes)}`,
    of: (name: string) => `Source of ${name}`,
    copy: 'Copy the source',
    notShown: (file: string) => `Could not show a source of ${file}`,
  },

  panel: {
    title: 'Safety',
    promise: 'Nothing in this file was executed.',
    refused: (names: number) =>
      `Unpickling it would have called ${plural(names, 'name')} that PyTorch checkpoints do not need.`,
    usual: (names: number) =>
      `Unpickling would have called ${plural(names, 'name')}, all usual in checkpoints.`,
    noCalls,
    times: (count: number) => `×${count.toLocaleString('en-US')}`,
    allowed: 'usual',
    notAllowed: 'not allowed',
  },
} as const;

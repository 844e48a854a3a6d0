/**
 * Reads the zip container that `torch.save` writes since 1.6: one top folder that holds `data.pkl`
 * (the pickle), `data/N` (the storages), `version` and `byteorder`. Opening reads the directory
 * and the pickle; a storage's bytes are read when a tensor in it is.
 */
import type { Format } from './format.ts';
import { express } from './torch.express.ts';
import { interpret } from './torch.interpret.ts';
import { byteorderOf, onlyRoot, pickleRecord, recordStorages, rootsWith } from './torch.records.ts';
import { judgedPickle } from './torch.safety.ts';
import { writeTorch } from './torch.write.ts';

export const torch: Format = {
  name: 'torch',
  title: 'PyTorch checkpoint (zip)',
  extensions: ['.pt', '.pth', '.ckpt', '.bin'],

  match: ({ zip }) => zip !== null && rootsWith(zip, 'data.pkl').length > 0,

  async read({ source, zip }, signal) {
    const root = onlyRoot(zip!);
    const [byteorder, bytes] = await Promise.all([
      byteorderOf(zip!, root, signal),
      pickleRecord(zip!, root, 'data.pkl', signal),
    ]);
    const { pickle, findings, calls } = judgedPickle(bytes);
    return {
      name: source.name,
      format: 'torch',
      size: source.size,
      root: interpret(pickle.value, recordStorages(zip!, root, 'data', byteorder)),
      metadata: new Map([
        ['byteorder', byteorder],
        ['pickle protocol', String(pickle.protocol)],
      ]),
      findings,
      calls,
    };
  },

  check: (root) => void express(root),
  write: writeTorch,
};

/**
 * Whether the workbench is fluent with 20,000 tensors, and compares and converts files as fast as
 * their bytes can be had, in little memory: `npm run bench:workbench -- [rounds] [tensors]`. It drives
 * the app in a real Chromium with a profile on the disk, on files that PyTorch writes; `tensors` of
 * 5 MB each make a large one, 200 if not said. Rates are ratios to bare reads and writes of the same
 * bytes, in turn. Each line that has a bar says whether it was met; the exit code is 1 where one was
 * not.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runPython } from '../python.ts';
import { buildPages, conclude, folder, inBrowser, prepare } from './bench.ts';
import { measureCompare, measureConvert, type LargeFiles } from './large.ts';
import { measureTable } from './table.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
/** Of a large file. */
const TENSORS = Number(process.argv[3] ?? 200);
const SHAPE = [1024, 1282] as const;
const MEMORY_BAR = 64 * 2 ** 20 + 2 * 4 * SHAPE[0] * SHAPE[1];
const LAYERS = 1250;
const PER_LAYER = 16;

async function main(): Promise<void> {
  prepare();
  const small = await made('small.pt', ['make', '4', '8', '8']);
  const many = await made('many.pt', ['many', String(LAYERS)]);
  const size = [TENSORS, ...SHAPE].map(String);
  const large: LargeFiles = {
    paths: [
      await made(`large_${TENSORS}.pt`, ['make', ...size, '0']),
      await made(`large_${TENSORS}_other.pt`, ['make', ...size, '1']),
    ],
    ...{ tensors: TENSORS, rounds: ROUNDS, memory: MEMORY_BAR },
  };
  await buildPages();
  await inBrowser((context) =>
    measureTable(context, {
      ...{ small, many, tensors: LAYERS * PER_LAYER },
      typed: String(LAYERS - 1),
    }),
  );
  await inBrowser((context, address) => measureCompare(context, address, large));
  await inBrowser((context, address) => measureConvert(context, address, large));
  conclude();
}

/** A file that PyTorch wrote; once. */
async function made(
  name: string,
  [what, ...args]: readonly [string, ...string[]],
): Promise<string> {
  const path = join(folder, name);
  if (!existsSync(path)) await runPython('tests/bench/files.py', [what, path, ...args]);
  return path;
}

await main();

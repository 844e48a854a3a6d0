/**
 * How fast and within how much memory the lab reads and writes large files: `npm run bench:files -- [rounds]`.
 * It runs in a real Chromium with a profile on the disk, on a 1 GB checkpoint of 200 tensors that
 * PyTorch writes, and on one of 12 GB that is sparse. Rates are ratios to bare reads and writes of
 * the same run, in turn, as disks vary; PyTorch's own times stand beside them. Each line that has a
 * bar says whether it was met; the exit code is 1 where one was not.
 */
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openAsBlob,
  openSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { Dict } from '../../src/lib/checkpoint/value.ts';
import { contiguousStrides, type Storage, type Tensor } from '../../src/lib/checkpoint/tensor.ts';
import { blobSource } from '../../src/lib/file/source.ts';
import { openZip } from '../../src/lib/file/zip.read.ts';
import { writeTorch } from '../../src/lib/formats/torch.write.ts';
import { dropPaths, hydrated, serveBuild } from '../browser/app.ts';
import { runPython } from '../python.ts';
import {
  alternate,
  bar,
  buildPages,
  conclude,
  folder,
  inBrowser,
  median,
  prepare,
  round,
  SETTLING,
  withBenchPage,
} from './bench.ts';
import { peakMemory } from './memory.ts';

const TENSORS = 200;
const SHAPE: [number, number] = [1024, 1282];
/** Each alternates with its bare twin; the ratio is of the medians. */
const ROUNDS = Number(process.argv[2] ?? 5);
const MEMORY_BAR = 64 * 2 ** 20 + 4 * SHAPE[0] * SHAPE[1];

const large = join(folder, `large_${TENSORS}.pt`);
const sparse = join(folder, 'sparse.pt');

async function main(): Promise<void> {
  prepare();
  if (!existsSync(large))
    await runPython('tests/bench/files.py', ['make', large, String(TENSORS), ...SHAPE.map(String)]);
  await makeSparse();
  const torch = JSON.parse(
    await runPython('tests/bench/files.py', ['measure', large, sparse]),
  ) as Record<string, number>;
  console.log('PyTorch, same machine, same files:');
  for (const [name, value] of Object.entries(torch))
    console.log(`  ${name}: ${typeof value === 'number' ? round(value) : value}`);
  await buildPages();
  await inBrowser(measureLarge);
  await inBrowser(measureSparse);
  conclude();
}

/** 12 tensors of 1 GB, all zeros, written as the lab writes: the disk holds what is not zero. */
async function makeSparse(): Promise<void> {
  const count = 12;
  const shape = [250_000, 1000];
  const zeros = new Uint8Array(8 * 2 ** 20);
  const tensor = (number: number): [string, Tensor] => {
    const storage: Storage = {
      key: String(number),
      location: 'cpu',
      byteLength: 1e9,
      // The same array again and again: its sum is known after the first time.
      read: (start, end) =>
        Promise.resolve(end - start === zeros.length ? zeros : zeros.subarray(0, end - start)),
    };
    const view = { dtype: 'float32', shape, strides: contiguousStrides(shape), offset: 0 } as const;
    return [
      `big.${number}`,
      { kind: 'tensor', ...view, storage, requiresGrad: false, parameter: false },
    ];
  };
  const file = openSync(sparse, 'w');
  let at = 0;
  const write = (bytes: Uint8Array) => {
    if (bytes.length < 2 ** 16) writeSync(file, bytes, 0, bytes.length, at);
    at += bytes.length;
    return Promise.resolve();
  };
  await writeTorch(
    new Dict(Array.from({ length: count }, (_, number) => tensor(number))),
    { write },
    { stem: 'sparse' },
  );
  ftruncateSync(file, at);
  closeSync(file);
  const { size, blocks } = statSync(sparse);
  console.log(`made a checkpoint of ${size} bytes that takes ${blocks * 512} on the disk`);
}

async function measureLarge(context: BrowserContext, address: string): Promise<void> {
  await withBenchPage(context, [large], async ({ page, call }) => {
    const job = (kind: 'read' | 'write' | 'writeTorch') =>
      call('job', { kind, tensors: TENSORS, shape: SHAPE });

    console.log(`\n${statSync(large).size} bytes in ${TENSORS} tensors:`);
    const opened = [];
    await page.waitForTimeout(SETTLING);
    for (let round = 0; round < ROUNDS; round++) opened.push(await call('open'));
    const first = opened[0]!;
    if (first.tensors !== TENSORS) throw new Error(`${first.tensors} tensors were listed`);
    bar('list its tensors, first time (ms)', first.seconds * 1000, 'at most', 100);
    bar(
      'list its tensors, median (ms)',
      median(opened.map(({ seconds }) => seconds)) * 1000,
      'at most',
      100,
    );
    await page.reload();
    await page.setInputFiles('input', large);
    const { seconds: hasty } = await call('open');
    console.log(`  the same while the page is still starting: ${round(hasty * 1000)} ms`);
    const needed = await directoryAndPickle();
    bar(
      `bytes read for it, of the ${needed} of directory and data.pkl (×)`,
      first.read / needed,
      'at most',
      1.1,
    );

    const read = await alternate(
      ROUNDS,
      () => job('read'),
      () => call('verify'),
    );
    console.log(
      `  bare read, four slices: ${read.bare} MB/s; all tensors, CRC-32 compared: ${read.lab} MB/s`,
    );
    bar('read everything (× bare read)', read.ratio, 'at least', 0.8);
    const reading = await peakMemory(address, async () => {
      const { checksums } = await call('verify');
      if (checksums !== TENSORS) throw new Error(`only ${checksums} checksums were compared`);
    });
    bar('memory of the workers in one more (MB)', reading / 1e6, 'at most', MEMORY_BAR / 1e6);

    const write = await alternate(
      ROUNDS,
      () => job('write'),
      () => job('writeTorch'),
      { warmed: true },
    );
    console.log(`  bare sync handle: ${write.bare} MB/s; .pt with CRC-32: ${write.lab} MB/s`);
    bar('write .pt to OPFS (× bare sync handle)', write.ratio, 'at least', 0.6);
    const writing = await peakMemory(address, async () => {
      const { seconds, verifying } = await job('writeTorch');
      console.log(
        `  one more: ${round(seconds)} s written, ${round(verifying!)} s read back and compared`,
      );
    });
    bar('memory of the workers meanwhile (MB)', writing / 1e6, 'at most', MEMORY_BAR / 1e6);

    const saving = await peakMemory(address, async () => {
      for (const choice of ['opened-checkpoint-pt', 'opened-weights-safetensors']) {
        const saved = await call('save', choice);
        console.log(
          `  ${choice}: ${saved.bytes} bytes in ${round(saved.seconds)} s, read back and compared`,
        );
      }
    });
    bar('memory of the workers meanwhile (MB)', saving / 1e6, 'at most', MEMORY_BAR / 1e6);
  });
}

/** Bytes of the zip's directory and of the pickle. */
async function directoryAndPickle(): Promise<number> {
  const { source, entries } = await openZip(blobSource(await openAsBlob(large), 'large.pt'));
  const last = Math.max(
    ...[...entries.values()].map(
      ({ headerOffset, compressedSize }) => headerOffset + compressedSize,
    ),
  );
  const pickle = [...entries.values()].find(({ name }) => name.endsWith('/data.pkl'))!;
  return source.size - last + pickle.compressedSize;
}

/** Opens the sparse file in the app itself, dropped by its path as a person would drop it. */
async function measureSparse(context: BrowserContext, address: string): Promise<void> {
  const server = await serveBuild();
  const inNewPage = async (work: (page: Page) => Promise<void>) => {
    const page = await context.newPage();
    await page.goto(server.url);
    await hydrated(page);
    await work(page);
    await page.close();
  };
  console.log(`\n${statSync(sparse).size} bytes, sparse, dropped on the app:`);
  await inNewPage(async (page) => {
    const seconds = await dropPath(page, sparse);
    bar('from the drop to the list of its tensors (s)', seconds, 'at most', 1);
  });
  await inNewPage(async (page) => {
    const peak = await peakMemory(address, () => dropPath(page, sparse));
    bar('memory of the workers in one more (MB)', peak / 1e6, 'at most', (64 * 2 ** 20) / 1e6);
  });
  await server.close();
}

async function dropPath(page: Page, path: string): Promise<number> {
  await page.evaluate(() => {
    addEventListener('drop', () => {
      const started = performance.now();
      const watch = () => {
        if (document.body.textContent.includes('big.11'))
          Object.assign(globalThis, { seconds: (performance.now() - started) / 1000 });
        else requestAnimationFrame(watch);
      };
      watch();
    });
  });
  await dropPaths(page, [path]);
  const handle = await page.waitForFunction(() => (globalThis as { seconds?: number }).seconds);
  return (await handle.jsonValue())!;
}

await main();

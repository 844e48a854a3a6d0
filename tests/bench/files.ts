/**
 * How fast and within how much memory the lab reads and writes large files: `npm run bench:files -- [rounds]`.
 * It runs in a real Chromium with a profile on the disk, on a 1 GB checkpoint of 200 tensors that
 * PyTorch writes, and on one of 12 GB that is sparse. Rates are ratios to bare reads and writes of
 * the same run, in turn, as disks vary; PyTorch's own times stand beside them. Each line that has a
 * bar says whether it was met; the exit code is 1 where one was not.
 */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import sirv from 'sirv';
import { build } from 'vite';
import { Dict } from '../../src/lib/checkpoint/value.ts';
import { contiguousStrides, type Storage, type Tensor } from '../../src/lib/checkpoint/tensor.ts';
import { blobSource } from '../../src/lib/file/source.ts';
import { openZip } from '../../src/lib/file/zip.read.ts';
import { writeTorch } from '../../src/lib/formats/torch.write.ts';
import { closeServer, flags, hydrated, listen, serveBuild } from '../browser/app.ts';
import { chromium as chromiumPath } from '../chromium.ts';
import { ensurePython, runPython } from '../python.ts';
import { peakMemory } from './memory.ts';
import type { Bench } from './page/page.ts';

const TENSORS = 200;
const SHAPE: [number, number] = [1024, 1282];
/** Each alternates with its bare twin; the ratio is of the medians. */
const ROUNDS = Number(process.argv[2] ?? 5);
/** From a page that is there to the first file: nobody drops one sooner. The worker warms up. */
const SETTLING = 1000;
const MEMORY_BAR = 64 * 2 ** 20 + 4 * SHAPE[0] * SHAPE[1];

const folder = join(import.meta.dirname, '../.made/bench');
const large = join(folder, 'large.pt');
const sparse = join(folder, 'sparse.pt');
const pageFolder = join(folder, 'page');
let missed = 0;

async function main(): Promise<void> {
  const problem = ensurePython() ?? (chromiumPath ? null : 'Chromium is missing');
  if (problem) throw new Error(problem);
  mkdirSync(folder, { recursive: true });
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
  rmSync(join(folder, 'profile'), { recursive: true, force: true });
  console.log(missed === 0 ? 'every bar was met' : `${missed} bars were missed`);
  process.exitCode = missed === 0 ? 0 : 1;
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

async function buildPages(): Promise<void> {
  await build({
    root: join(import.meta.dirname, 'page'),
    configFile: false,
    logLevel: 'warn',
    base: './',
    define: { __APP_VERSION__: '"bench"' },
    worker: { format: 'es' },
    build: { outDir: pageFolder, emptyOutDir: true, target: 'esnext' },
  });
  const { status } = spawnSync('vite', ['build', '--logLevel', 'error'], {
    stdio: 'inherit',
    env: { ...process.env, BASE_PATH: '/weightroom' },
  });
  if (status !== 0) throw new Error('the app does not build');
}

async function inBrowser(
  work: (context: BrowserContext, address: string) => Promise<void>,
): Promise<void> {
  const profile = join(folder, 'profile');
  rmSync(profile, { recursive: true, force: true });
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath!,
    args: [...flags, '--remote-debugging-port=0'],
    viewport: { width: 1280, height: 800 },
  });
  const [port, path] = readFileSync(join(profile, 'DevToolsActivePort'), 'utf8').trim().split('\n');
  try {
    await work(context, `ws://127.0.0.1:${port}${path}`);
  } finally {
    await context.close();
  }
}

async function measureLarge(context: BrowserContext, address: string): Promise<void> {
  const files = sirv(pageFolder, { dev: true });
  const server = createServer((request, response) =>
    files(request, response, () => void response.writeHead(404).end()),
  );
  const url = await listen(server);
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(String(error)));
  await page.goto(url);
  await page.setInputFiles('input', large);
  const call = <K extends keyof Bench>(name: K, ...args: Parameters<Bench[K]>) =>
    page.evaluate(
      ([name, args]) =>
        (globalThis as unknown as { bench: Record<string, (...args: unknown[]) => unknown> }).bench[
          name
        ]!(...args),
      [name, args] as const,
    ) as ReturnType<Bench[K]>;
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
        `  ${choice}: ${saved.bytes} bytes in ${round(saved.seconds)} s, read back twice: file and tensors`,
      );
    }
  });
  bar('memory of the workers meanwhile (MB)', saving / 1e6, 'at most', MEMORY_BAR / 1e6);
  await closeServer(server);
}

/** Bytes of the zip's directory and of the pickle. */
async function directoryAndPickle(): Promise<number> {
  const { openAsBlob } = await import('node:fs');
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
  const session = await page.context().newCDPSession(page);
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
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  }
  const handle = await page.waitForFunction(() => (globalThis as { seconds?: number }).seconds);
  return (await handle.jsonValue())!;
}

interface Rate {
  bytes: number;
  seconds: number;
}

/**
 * Runs both in turn and compares the medians of their rates. With `warmed`, each run that counts
 * follows one of its own kind: a system hands a writer memory that is warm or cold, depending on
 * who gave it back last.
 */
async function alternate(
  bare: () => Promise<Rate>,
  lab: () => Promise<Rate>,
  { warmed = false } = {},
): Promise<{ bare: number; lab: number; ratio: number }> {
  const rateOf = async (run: () => Promise<Rate>) => {
    if (warmed) await run();
    const { bytes, seconds } = await run();
    return bytes / 1e6 / seconds;
  };
  await bare();
  await lab();
  const rates: { bare: number; lab: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rates.push({ bare: await rateOf(bare), lab: await rateOf(lab) });
  }
  const one = median(rates.map((rate) => rate.bare));
  const two = median(rates.map((rate) => rate.lab));
  return { bare: Math.round(one), lab: Math.round(two), ratio: two / one };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function round(value: number): string {
  return value.toPrecision(3);
}

function bar(what: string, value: number, which: 'at most' | 'at least', limit: number): void {
  const met = which === 'at most' ? value <= limit : value >= limit;
  if (!met) missed++;
  console.log(`  ${met ? 'met   ' : 'MISSED'} ${what}: ${round(value)}, ${which} ${round(limit)}`);
}

await main();

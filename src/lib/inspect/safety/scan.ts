/**
 * Scans a file for what loading it would run, whether it opens or not: finds the containers that it
 * is or may be taken for, reads every pickle in them as inert data, and says what was found. What
 * cannot be looked into is never called safe.
 */
import type { ClassSource } from '#lib/checkpoint/checkpoint.ts';
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { bytesSource, sliceSource, type Source } from '#lib/file/source.ts';
import { isTar, readTar } from '#lib/file/tar.read.ts';
import { ZipError, type ZipListing } from '#lib/file/zip.directory.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { readTarObjects, type PlacedPickle } from '#lib/formats/torch.tar.records.ts';
import { Budget } from '#lib/pickle/read.ts';
import { label, plain } from '../repr.ts';
import { chunksOf, isChunked, worst } from './chunks.ts';
import { isExported, pickledRecords } from './exported.ts';
import { kindOf } from './kinds.ts';
import { MAX_PICKLES, Pickles, standingOf, type Again, type Nested, type Site } from './pickles.ts';
import type { RecordRow, SafetyReport, SourceRow } from './report.ts';
import { scriptFindings } from './script.ts';
import { reasonFinding, verdictOf, type Container } from './verdict.ts';
import { archiveFindings, entryContent, findArchives, recordRow, suspects } from './zips.ts';

const HEAD = 512;
/** Chunks of a kind that are shown. */
const MAX_ALIKE = 50;
/** Bytes of a file that holds pickles and no container; doubled while they break off in them. */
const FIRST_READ = 2 ** 20;
/** Pickles are read as a whole; those of a checkpoint with a million tensors take some 200 MB. */
const MAX_READ = 2 ** 30;
/** PROTO, LONG1 and the magic number of torch's files before 1.6. The protocol may vary. */
const LEGACY = '\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.';

export interface Scan {
  readonly report: SafetyReport;
  readonly sites: readonly Site[];
  readonly sources: readonly ClassSource[];
  /** The container's records, in the order of its directory. */
  readonly records: readonly RecordRow[];
}

/** Scans a file. Throws only where its bytes cannot be read. */
export async function scan(source: Source, signal?: AbortSignal): Promise<Scan> {
  const scanner = new Scanner(source, signal);
  await scanner.run();
  return await scanner.result();
}

class Scanner {
  readonly #source: Source;
  readonly #signal: AbortSignal | undefined;
  readonly #pickles = new Pickles();
  readonly #findings: Finding[] = [];
  readonly #records: RecordRow[] = [];
  #container: Container = { kind: 'unknown', format: 'an unknown file' };

  constructor(source: Source, signal?: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { size } = this.#source;
    const head = await this.#source.read(0, Math.min(HEAD, size), this.#signal);
    const text = String.fromCharCode(...head);
    if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) {
      const isDone = isChunked(this.#source.name) && (await this.#chunks());
      if (!isDone) await this.#zip(this.#source, '', 0);
    } else if (text.startsWith('\x93NUMPY')) {
      await this.#npy(this.#source, '', 0);
      if (this.#container.kind === 'unknown') await this.#plain('npy');
    } else if (text[0] === '\x80' && text.slice(2).startsWith(LEGACY)) {
      this.#container = { kind: 'legacy', format: 'PyTorch checkpoint (before 1.6)' };
      await this.#front('legacy');
    } else if (text.startsWith('GGUF')) {
      await this.#plain('gguf');
    } else if (text[8] === '{' && head[6] === 0 && head[7] === 0) {
      await this.#plain('safetensors');
    } else if (isTar(head)) {
      await this.#tar();
    } else if (looksPickled(head)) {
      this.#container = { kind: 'pickle', format: 'Python pickle' };
      await this.#front('stack');
    } else {
      await this.#unknown(head);
    }
    if (!text.startsWith('PK')) await this.#hiddenZip();
    while (this.#pickles.zips.length > 0) {
      const zip = this.#pickles.zips.shift()!;
      await this.#nestedZip(zip);
    }
  }

  async result(): Promise<Scan> {
    const pickles = this.#pickles;
    const { sources } = pickles;
    const found = [...this.#findings, ...pickles.findings, ...sources.findings()];
    const findings = found.map((finding) => ({
      ...finding,
      message: plain(finding.message),
      ...(finding.where && { where: plain(finding.where) }),
    }));
    const reports = pickles.sites.map(({ report }) => report);
    const verdict = await verdictOf(this.#container, findings, reports, this.#source, this.#signal);
    return {
      report: {
        name: plain(this.#source.name),
        size: this.#source.size,
        format: this.#container.format,
        ...verdict,
        findings: [...reasonFinding(verdict), ...findings],
        pickles: reports,
        sources: sources.list.map(sourceRow),
        records: this.#records.length,
      },
      sites: pickles.sites,
      sources: sources.list,
      records: this.#records,
    };
  }

  /** A format that holds no code: it must be sound to be called so. */
  async #plain(format: string): Promise<void> {
    this.#container = { kind: 'plain', format };
    const result = await openCheckpoint(this.#source, this.#signal);
    if (result.ok) {
      this.#container = { kind: 'plain', format: result.checkpoint.format };
    } else {
      this.#container = { kind: 'broken', format };
      this.#findings.push(...result.findings);
    }
  }

  /** Pickles at the front of the file, whose length nothing tells. */
  async #front(how: 'legacy' | 'stack'): Promise<void> {
    const source = this.#source;
    const limit = Math.min(source.size, MAX_READ);
    let size = Math.min(FIRST_READ, limit);
    let bytes = await source.read(0, size, this.#signal);
    while (size < limit && (how === 'stack' || legacyEnd(new Pickles(), bytes) === null)) {
      size = Math.min(2 * size, limit);
      bytes = await source.read(0, size, this.#signal);
    }
    const again: Again = (signal) => source.read(0, size, signal);
    const place = { name: '', bytes, again, depth: 0 };
    if (how === 'legacy') {
      legacyEnd(this.#pickles, bytes, again);
      return;
    }
    const end = this.#pickles.stack(place);
    const isWhole = this.#pickles.sites.every(({ report }) => report.complete);
    if (isWhole && end < source.size) this.#trailing('', end, source.size - end);
  }

  #trailing(name: string, offset: number, count: number): void {
    this.#findings.push({
      code: 'pickle-trailing',
      severity: 'warning',
      where: name ? `byte ${offset} of ${name}` : `byte ${offset}`,
      message: `pickle: ${count} bytes follow the pickle that it does not need`,
    });
  }

  /** Several files of torch.save in one; false where it is none of that kind. */
  async #chunks(): Promise<boolean> {
    const chunks = await chunksOf(this.#source, this.#signal);
    if (!chunks || chunks.length < 2) return false;
    this.#container = {
      kind: 'chunks',
      format: `torch.distributed.checkpoint, ${chunks.length} chunks`,
      judged: worst(chunks),
    };
    // Those that load look alike: the first of them stand for all.
    let alike = 0;
    let refused = 0;
    for (const [index, { source, judged }] of chunks.entries()) {
      const count = judged.verdict === 'loads' ? ++alike : ++refused;
      if (count > MAX_ALIKE) continue;
      await this.#zip(source, `chunk ${index + 1}`, 1);
    }
    return true;
  }

  async #zip(source: Source, name: string, depth: number): Promise<void> {
    let archives: ZipListing[];
    try {
      archives = await findArchives(source, this.#signal);
    } catch (error) {
      if (!(error instanceof ZipError)) throw error;
      this.#findings.push({
        code: error.code,
        severity: 'error',
        ...(name && { where: name }),
        message: error.message,
        advice:
          'The file is cut off or damaged, so that its pickles cannot be found: get it again.',
      });
      if (depth === 0) this.#container = { kind: 'broken', format: 'zip archive' };
      return;
    }
    if (archives.length > 1) {
      this.#findings.push({
        code: 'zip-ambiguous',
        severity: 'error',
        ...(name && { where: name }),
        message: `zip: ${archives.length} archives lie in one file: readers disagree on which one counts`,
        advice: 'Each reading is shown. Get the file from a source that you trust.',
      });
    }
    for (const [index, archive] of archives.entries()) {
      const reading = archives.length > 1 ? `archive ${index + 1} of the file, ` : '';
      await this.#archive(archive, name ? `${name}, ${reading}` : reading, depth);
    }
    if (depth === 0) await this.#nameZip(archives[0]!);
  }

  /** What the archive is for, by the names in it. */
  async #nameZip(archive: ZipListing): Promise<void> {
    const { entries } = archive;
    const has = (pattern: RegExp) => entries.some(({ name }) => pattern.test(name));
    if (has(/(^|\/)constants\.pkl$/i)) {
      this.#container = { kind: 'torchscript', format: 'TorchScript archive' };
    } else if (has(/^[^/]+\/data\.pkl$/i)) {
      this.#container = { kind: 'zip', format: 'PyTorch checkpoint (zip)' };
    } else if (isExported(archive)) {
      this.#container = { kind: 'exported', format: 'Exported program (torch.export)' };
    } else if (this.#pickles.sites.length > 0) {
      this.#container = { kind: 'pickle', format: 'zip archive with pickles' };
    } else if (has(/\.npy$/i)) {
      await this.#plain('npz');
    } else {
      const format = has(/\.h5$/i) ? 'a Keras archive' : 'a zip archive without pickles';
      this.#container = { kind: 'unscanned', format };
    }
  }

  async #archive(archive: ZipListing, prefix: string, depth: number): Promise<void> {
    this.#findings.push(...(await archiveFindings(archive, this.#signal)));
    this.#findings.push(...(await scriptFindings(archive, this.#signal)));
    if (depth === 0) this.#records.push(...archive.entries.map(recordRow));
    const roots = archive.entries.filter(({ name }) => /^[^/]+\/data\.pkl$/i.test(name));
    if (roots.length > 1) {
      this.#findings.push({
        code: 'zip-ambiguous',
        severity: 'error',
        message: `torch: the archive holds ${roots.length} checkpoints: ${roots.map(({ name }) => name).join(', ')}`,
        advice: 'Readers disagree on which one counts. Each is shown.',
      });
    }
    const exported = await pickledRecords(archive, this.#signal);
    this.#findings.push(...exported.findings);
    for (const entry of new Set([...suspects(archive), ...exported.entries])) {
      const { bytes, finding } = await entryContent(archive, entry, this.#signal);
      if (finding) this.#findings.push(finding);
      if (!bytes) continue;
      const name = prefix + plain(entry.name);
      const again: Again = async (signal) =>
        (await entryContent(archive, entry, signal)).bytes ?? new Uint8Array();
      if (/\.npy$/i.test(entry.name)) {
        await this.#npy(bytesSource(bytes), name, depth + 1);
      } else if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
        this.#pickles.zips.push({ name, bytes, again, depth: depth + 1 });
      } else if (/\.pkl$/i.test(entry.name) || looksPickled(bytes.subarray(0, HEAD))) {
        const end = this.#pickles.stack({ name, bytes, again, depth });
        const isWhole = this.#pickles.sites.at(-1)?.report.complete;
        if (isWhole && end < bytes.length) this.#trailing(name, end, bytes.length - end);
      }
    }
  }

  async #nestedZip({ name, bytes, depth }: Nested): Promise<void> {
    this.#findings.push({
      code: 'zip-nested',
      severity: 'warning',
      where: name,
      message: 'a zip archive lies inside of the file: whoever loads it loads its pickles',
    });
    await this.#zip(bytesSource(bytes, name), name, depth);
  }

  /** An archive at the end of a file that begins as something else. */
  async #hiddenZip(): Promise<void> {
    if (this.#container.kind === 'tar' || this.#source.size < 22) return;
    let archives: ZipListing[];
    try {
      archives = (await findArchives(this.#source, this.#signal)).filter(
        ({ entries }) => entries.length > 0,
      );
    } catch (error) {
      if (error instanceof ZipError) return;
      throw error;
    }
    if (archives.length === 0) return;
    this.#findings.push({
      code: 'zip-polyglot',
      severity: 'error',
      where: `byte ${archives[0]!.offset}`,
      message: `the file is a zip archive as well as ${this.#container.format}: readers disagree on what it holds`,
      advice: 'Both readings are shown. Get the file from a source that you trust.',
    });
    for (const archive of archives) await this.#archive(archive, 'the zip, ', 0);
  }

  /** An array of objects holds a pickle behind its header. */
  async #npy(source: Source, name: string, depth: number): Promise<void> {
    const head = await source.read(0, Math.min(source.size, 2 ** 16), this.#signal);
    const wide = head[6]! >= 2;
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    if (head.length < 12) return;
    const start = wide ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
    const header = latin1(head.subarray(10, Math.min(start, head.length)));
    if (!/'descr'\s*:\s*'?\[?.*O/.test(header.replaceAll(/'(fortran_order|shape)'/g, ''))) return;
    if (start >= source.size) return;
    this.#findings.push({
      code: 'npy-objects',
      severity: 'warning',
      ...(name && { where: name }),
      message:
        'an array of Python objects is stored as a pickle: numpy.load refuses it unless told to',
    });
    if (depth === 0) this.#container = { kind: 'objects', format: 'NumPy array of objects' };
    const end = Math.min(source.size, start + MAX_READ);
    const payload = sliceSource(source, start, end, name || source.name);
    const again: Again = (signal) => payload.read(0, payload.size, signal);
    const bytes = await again(this.#signal);
    this.#pickles.stack({ name: name || 'the array', bytes, again, depth });
  }

  async #tar(): Promise<void> {
    this.#container = { kind: 'tar', format: 'PyTorch checkpoint (tar, before 0.1.10)' };
    const { members, problem } = await readTar(this.#source, this.#signal);
    const between = new Map<string, Source>();
    if (problem) {
      this.#findings.push({ code: 'tar-broken', severity: 'error', message: problem });
    }
    for (const member of members) {
      const name = plain(member.name);
      this.#records.push({
        name,
        offset: member.offset,
        size: member.size,
        compressedSize: member.size,
        method: 'stored',
        crc32: '',
      });
      if (member.kind !== 'file' && member.kind !== 'folder') {
        this.#findings.push({
          code: 'tar-link',
          severity: 'warning',
          where: name,
          message: `tar: the member is of the kind ${JSON.stringify(member.kind)}: links, sparse files and devices are not followed`,
        });
        continue;
      }
      if (member.size === 0) continue;
      const { start, size } = member;
      if (name === 'storages' || name === 'tensors') {
        between.set(name, sliceSource(this.#source, start, start + size, name));
        continue;
      }
      const again: Again = (signal) =>
        this.#source.read(start, start + Math.min(size, MAX_READ), signal);
      const bytes = await again(this.#signal);
      if (!looksPickled(bytes.subarray(0, HEAD))) continue;
      this.#pickles.stack({ name, bytes, again, depth: 0 });
    }
    if (members.every(({ name }) => name !== 'pickle')) {
      this.#container = { kind: 'unscanned', format: 'a tar archive' };
    } else {
      await this.#between(between.get('storages'), between.get('tensors'));
    }
  }

  /** The pickles between the numbers of a tar's members, where they name what is not known. */
  async #between(storages?: Source, tensors?: Source): Promise<void> {
    if (!storages) return;
    const found: PlacedPickle[] = [];
    const onPickle = (pickle: PlacedPickle) => {
      if (pickle.names.some(({ global }) => standingOf(global) !== 'allowed')) found.push(pickle);
    };
    try {
      await readTarObjects({ storages, tensors }, new Budget(), onPickle, this.#signal);
    } catch (error) {
      if (!(error instanceof FindingError)) throw error;
      this.#container = { kind: 'broken', format: this.#container.format };
      this.#findings.push(error.finding);
    }
    for (const { member, start, end } of found) {
      const again: Again = (signal) => member.read(start, end, signal);
      const name = `${member.name}, at byte ${start}`;
      this.#pickles.stack({ name, bytes: await again(this.#signal), again, depth: 0 });
      if (this.#pickles.sites.length >= MAX_PICKLES) break;
    }
  }

  async #unknown(head: Uint8Array): Promise<void> {
    const kind = kindOf(head);
    this.#container = { kind: 'unscanned', format: kind ?? 'an unknown kind of file' };
    if (kind !== null && kind !== 'a text file') return;
    // Anything may be unpickled: what names something on its way to STOP is shown as a pickle.
    const size = Math.min(this.#source.size, FIRST_READ);
    const bytes = await this.#source.read(0, size, this.#signal);
    const trial = new Pickles();
    const again: Again = (signal) => this.#source.read(0, size, signal);
    const reading = trial.read({ name: '', bytes, again, depth: 0 }, 0, '');
    if (reading.problem || reading.names.length === 0) return;
    this.#container = { kind: 'pickle', format: 'Python pickle' };
    await this.#front('stack');
  }
}

function sourceRow({ name, file, text }: ClassSource): SourceRow {
  const { length } = new TextEncoder().encode(text);
  const lines = text.trimEnd().split('\n').length;
  return { name: label(name), file: plain(file), bytes: length, lines };
}

/** PROTO 2 to 5; or protocol 0 and 1, which begin with a MARK, a container or a GLOBAL. */
function looksPickled(head: Uint8Array): boolean {
  if (head[0] === 0x80) return head[1]! >= 2 && head[1]! <= 5;
  return /^[(\]}][\s\S]|^c[\w.]+\n[\w.]+\n/.test(latin1(head));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

const parts = ['magic number', 'protocol', 'sys_info', 'object', 'storage keys'];

/** Reads the five pickles of a file before 1.6; null where they break off. */
function legacyEnd(pickles: Pickles, bytes: Uint8Array, again?: Again): number | null {
  let end = 0;
  for (const [index, part] of parts.entries()) {
    const title = `pickle ${index + 1} (${part})`;
    const place = { name: title, bytes, again: again ?? (() => Promise.resolve(bytes)), depth: 0 };
    const reading = pickles.read(place, end, title);
    if (reading.problem) return null;
    ({ end } = reading);
  }
  return end;
}

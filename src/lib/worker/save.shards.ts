/**
 * Writes a sharded checkpoint and reads it back: into a folder of its own below the one that was
 * picked, or as one zip to download, which holds the folder.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import type { Sink } from '#lib/file/sink.ts';
import { blobSource } from '#lib/file/source.ts';
import { ZipWriter } from '#lib/file/zip.write.ts';
import type { FolderFile } from '#lib/formats/folder.files.ts';
import { openFolder } from '#lib/formats/folder.ts';
import { filesInZip } from '#lib/formats/zipped.ts';
import {
  DEFAULT_SHARD_SIZE,
  shardKinds,
  writeSharded,
  type ShardKind,
  type WriteFile,
} from '#lib/formats/sharded.write.ts';
import { writeVerified } from '#lib/storage/verified.ts';
import type { Saved } from './protocol.ts';
import {
  compare,
  elementBytes,
  metadataFor,
  saved,
  storedBytes,
  writeFile,
  type WriteArguments,
} from './save.file.ts';

export interface ShardArguments extends WriteArguments {
  /** Where the folder goes, and what it is called. */
  readonly directory?: FileSystemDirectoryHandle;
  readonly name?: string;
  /** Bytes of the largest shard. */
  readonly shardSize?: number;
  /** Free texts of every shard, and of the whole. */
  readonly texts?: ReadonlyMap<string, string>;
  readonly whole?: ReadonlyMap<string, string>;
}

/** Writes the tensors of a state_dict in shards; `name` is the folder's, unless one is given. */
export async function saveShards(
  root: Value,
  kind: ShardKind,
  name: string,
  args: ShardArguments,
): Promise<Saved> {
  const { directory, signal, progress, shardSize = DEFAULT_SHARD_SIZE } = args;
  const total = kind === 'bin' ? storedBytes(root) : elementBytes(root);
  const options = {
    metadata: metadataFor(shardKinds[kind].format, args.texts),
    whole: args.whole,
    signal,
    onProgress: (bytes: number) => progress({ bytes: Math.min(bytes, total), total }),
  };
  const folder = args.name || name;
  const write = (to: WriteFile) => writeSharded(root, kind, shardSize, to, options);
  const check = async (files: readonly FolderFile[]) =>
    compare(root, await openFolder(folder, files, signal), signal);
  if (directory) return intoFolder(directory, folder, write, check);

  const zipped = async (sink: Sink) => {
    const zip = new ZipWriter(sink);
    await write((path, writeTo) => zip.addWritten(`${folder}/${path}`, writeTo));
    await zip.finish();
  };
  const file = await writeFile(`${folder}.zip`, total, zipped, args);
  await check(await filesInZip(blobSource(file), signal));
  return saved(file, file.name);
}

async function intoFolder(
  parent: FileSystemDirectoryHandle,
  name: string,
  write: (to: WriteFile) => Promise<void>,
  check: (files: readonly FolderFile[]) => Promise<void>,
): Promise<Saved> {
  const folder = await newFolder(parent, name);
  const files: FolderFile[] = [];
  try {
    await write(async (path: string, writeTo: (sink: Sink) => Promise<void>) => {
      const handle = await folder.getFileHandle(path, { create: true });
      files.push({ path, source: blobSource(await writeVerified(handle, writeTo), path) });
    });
    await check(files);
  } catch (error) {
    await parent.removeEntry(name, { recursive: true }).catch(() => {}); // the first error counts
    throw error;
  }
  const bytes = files.reduce((sum, { source }) => sum + source.size, 0);
  return { name, bytes, verified: true, files: files.map(({ path }) => path) };
}

/** A folder that nothing is in: what an earlier save left there is never written over. */
async function newFolder(
  parent: FileSystemDirectoryHandle,
  name: string,
): Promise<FileSystemDirectoryHandle> {
  const folder = await parent.getDirectoryHandle(name, { create: true });
  for await (const present of folder.keys()) {
    throw new FindingError({
      code: 'save-folder-filled',
      where: name,
      message: `save: the folder ${name} is there already, with ${present} in it`,
      advice: 'Choose another name, or another place.',
    });
  }
  return folder;
}

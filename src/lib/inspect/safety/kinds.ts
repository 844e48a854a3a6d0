/** What a file is by its first bytes, for files that the lab does not read. */

const magics: readonly [string, string][] = [
  ['7z\xbc\xaf\x27\x1c', 'a 7z archive'],
  ['Rar!\x1a\x07', 'a RAR archive'],
  ['\x1f\x8b', 'gzip-compressed'],
  ['\xfd7zXZ\x00', 'xz-compressed'],
  ['BZh', 'bzip2-compressed'],
  ['\x28\xb5\x2f\xfd', 'zstd-compressed'],
  ['\x04\x22\x4d\x18', 'LZ4-compressed'],
  ['\x89HDF\r\n\x1a\n', 'an HDF5 file (Keras, .h5)'],
  ['PAR1', 'a Parquet table'],
  ['ARROW1', 'an Arrow file'],
  ['\x7fELF', 'a program (ELF)'],
  ['MZ', 'a program (Windows)'],
  ['TFL3', 'a TensorFlow Lite model'],
  ['version https://git-lfs', 'a Git LFS pointer, not the file that it stands for'],
];

/** `a 7z archive`, or null where the bytes tell nothing. */
export function kindOf(head: Uint8Array): string | null {
  if (head.length === 0) return 'an empty file';
  const text = String.fromCharCode(...head);
  const known = magics.find(([magic]) => text.startsWith(magic));
  if (known) return known[1];
  if (text.slice(4, 8) === 'TFL3') return 'a TensorFlow Lite model';
  // ONNX's ModelProto begins with its ir_version and the producer's name; it has no magic.
  if (head[0] === 0x08 && head[1]! > 0 && head[1]! <= 0x20 && head[2] === 0x12)
    return 'a protobuf message (ONNX or TensorFlow)';
  if (/^\s*<(!doctype|html)/i.test(text)) return 'a web page';
  if (!text.includes('\0')) {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(head.subarray(0, -4));
      return 'a text file';
    } catch {
      return null;
    }
  }
  return null;
}

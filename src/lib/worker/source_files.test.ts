import { describe, expect, it } from 'vitest';
import { readSource } from '#lib/architecture/source.ts';
import { memorySink } from '#lib/file/sink.ts';
import { ZipWriter } from '#lib/file/zip.write.ts';
import { readSourceFiles } from './source_files.ts';

const given = (path: string, ...parts: BlobPart[]) => ({ path, file: new File(parts, path) });

async function zip(files: Record<string, string>): Promise<{ path: string; file: File }> {
  const sink = memorySink();
  const writer = new ZipWriter(sink);
  for (const [name, text] of Object.entries(files)) {
    const bytes = new TextEncoder().encode(text);
    await writer.add(name, bytes.length, [bytes]);
  }
  await writer.finish();
  return given('project.zip', sink.bytes());
}

const names = async (...files: Parameters<typeof readSourceFiles>[0]) =>
  (await readSourceFiles(files)).map(({ name }) => name);

describe('files', () => {
  it('are those of Python that can be meant', async () => {
    const files = ['unet/model.py', 'unet/README.md', 'unet/.git/x.py', '__MACOSX/unet/._a.py'].map(
      (path) => given(path, 'x = 1'),
    );
    const installed = given('unet/.venv/lib/site-packages/torch/nn.py', '');
    expect(await names(...files, installed)).toEqual(['unet/model.py']);
  });

  it('of a zip come without the folder that no import can name', async () => {
    const made = await zip({
      'unet-main/setup.py': '',
      'unet-main/unet/__init__.py': '',
      'unet-main/notes.txt': '',
    });
    expect(await names(made)).toEqual(['setup.py', 'unet/__init__.py']);
    expect(await names(await zip({ 'unet/__init__.py': '' }))).toEqual(['unet/__init__.py']);
  });

  it('do not lead out of their folder, and names of JavaScript are names', async () => {
    const made = await zip({
      '../../etc/a.py': 'x = 1',
      '/etc/b.py': '',
      'c\\..\\d.py': '',
      '__proto__/constructor.py': 'y = 2',
      'link.py': '../../../etc/passwd.py',
    });
    const all = ['etc/a.py', 'etc/b.py', 'c/d.py', '__proto__/constructor.py'];
    expect(await names(made)).toEqual(all);
  });

  it('of a checkpoint that is called .zip are none', async () => {
    expect(await names(await zip({ 'm/data.pkl': '', 'm/code/model.py': '' }))).toEqual([]);
    expect(await names(given('weights.pt', 'PK'))).toEqual([]);
  });

  it('import each other across folders', async () => {
    const made = await zip({
      'net-main/net/__init__.py': 'from .model import Net',
      'net-main/net/model.py':
        'import torch.nn as nn\nfrom net.parts import wide\nclass Net(nn.Module):\n' +
        '    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(wide, 1)\n',
      'net-main/net/parts.py': 'from . import sizes\nwide = sizes.width * 2\n',
      'net-main/net/sizes.py': 'width = 4\n',
    });
    const read = readSource(await readSourceFiles([made]));
    if (!read.ok) throw new Error(read.findings[0]!.message);
    expect(read.source.candidates).toMatchObject([{ name: 'Net', file: 'net/model.py', line: 3 }]);
    const built = read.source.build('Net');
    expect(built.ok && built.module.state.map(({ shape }) => shape)).toEqual([[1, 8], [1]]);
  });
});

describe('text', () => {
  it('has the encoding that it declares, or UTF-8', async () => {
    const latin = given('a.py', Uint8Array.from([...'# -*- coding: latin-1 -*-\nx = "'].map(code)));
    const more = new File([latin.file, Uint8Array.of(0xe9, 0x22)], 'a.py');
    const read = await readSourceFiles([{ path: 'a.py', file: more }]);
    expect(read[0]!.text).toMatch(/x = "é"$/);
  });

  it('that cannot be decoded is refused by name', async () => {
    const bad = given('model.py', Uint8Array.of(0x78, 0xff, 0xfe));
    await expect(readSourceFiles([bad])).rejects.toMatchObject({
      finding: { code: 'source-encoding', message: 'source: model.py is not text in utf-8' },
    });
    const unknown = given('model.py', '# coding: rot13\n');
    await expect(readSourceFiles([unknown])).rejects.toThrow(/not text in rot13/);
  });
});

describe('limits', () => {
  it('refuse too many files, too many bytes, and a zip that is damaged', async () => {
    const many = Array.from({ length: 2001 }, (_, index) => given(`m${index}.py`, ''));
    await expect(readSourceFiles(many)).rejects.toThrow(/2001 Python files, at most 2000/);
    const large = given('model.py', new Uint8Array(50_000_000));
    await expect(readSourceFiles([large])).rejects.toThrow(/50000000 bytes of Python, at most/);
    const damaged = given('x.zip', 'PK\x03\x04 not a zip');
    await expect(readSourceFiles([damaged])).rejects.toThrow(/x\.zip: zip: /);
  });
});

function code(character: string): number {
  return character.charCodeAt(0);
}

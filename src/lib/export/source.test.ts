import { describe, expect, it } from 'vitest';
import { pythonSource, type SourceModel } from './source.ts';

const model = (parts: Partial<SourceModel>): SourceModel => ({
  files: [{ name: 'my-net.py', text: 'class Net: ...' }],
  file: 'my-net.py',
  candidate: 'Net',
  kind: 'class',
  arguments: {},
  ...parts,
});
const source = (parts: Partial<SourceModel>, ...taken: string[]) =>
  pythonSource(model(parts), new Set(taken));

describe('a source of one file', () => {
  it('is model.py, whatever it was called', () => {
    expect(
      source({ arguments: { classes: '10', config: 'Config(depth=2)', unused: ' ' } }),
    ).toEqual({
      files: [{ path: 'model.py', text: 'class Net: ...' }],
      path: null,
      imports: 'from model import Net, Config',
      expression: 'Net(classes=10, config=Config(depth=2))',
    });
  });

  it('gives way to names of the script', () => {
    expect(source({ candidate: 'Trainer' }, 'Trainer')).toMatchObject({
      imports: 'from model import Trainer as source_Trainer',
      expression: 'source_Trainer()',
    });
  });

  it('takes a model that is made already as it is', () => {
    expect(source({ kind: 'instance', candidate: 'net' })).toMatchObject({ expression: 'net' });
  });
});

describe('a source of several files', () => {
  const files = [
    { name: 'project/models/net.py', text: 'from .blocks import B\nimport utils.misc\n' },
    { name: 'project/models/blocks.py', text: 'import torch, os, missing\n' },
    { name: 'project/utils/misc.py', text: '' },
    { name: 'project/broken.py', text: 'def (' },
  ];

  it('lies as it lay, with the folders that its imports start from', () => {
    const { path, imports, files: placed } = source({ files, file: 'project/models/net.py' });
    expect(placed.map(({ path }) => path)).toEqual(files.map(({ name }) => `source/${name}`));
    expect(path).toBe('sys.path[:0] = [str(HERE / "source" / "project")]');
    expect(imports).toBe('from source.project.models.net import Net');
  });

  it('gets the folders back that it was dropped without', () => {
    const loose = [
      { name: 'net.py', text: 'from models.blocks import B\n' },
      { name: 'blocks.py', text: '' },
    ];
    const { path, files: placed } = source({ files: loose, file: 'net.py' });
    expect(placed.map(({ path }) => path)).toEqual(['source/net.py', 'source/models/blocks.py']);
    expect(path).toBe('sys.path[:0] = [str(HERE / "source")]');
  });

  it('stays within the project, and is imported by names that no statement can spell', () => {
    const odd = [
      { name: '../a-b/net.py', text: '' },
      { name: 'c.py', text: '' },
    ];
    const { imports, files: placed } = source({ files: odd, file: '../a-b/net.py' });
    expect(placed[0]!.path).toBe('source/a-b/net.py');
    expect(imports).toBe('import importlib\nNet = importlib.import_module("source.a-b.net").Net');
  });
});

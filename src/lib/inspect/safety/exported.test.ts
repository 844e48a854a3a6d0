import { describe, expect, it } from 'vitest';
import { tuple, type Value } from '#lib/checkpoint/value.ts';
import { bytesSource } from '#lib/file/source.ts';
import { writePickle } from '#lib/pickle/write.ts';
import { zipOf } from '../../../../tests/fixtures/zip.ts';
import { scan } from './scan.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const call: Value = {
  kind: 'call',
  callable: { kind: 'global', module: 'os', name: 'system' },
  args: tuple('echo hello'),
  how: 'reduce',
};
const list = (path: string, isPickled: boolean) =>
  JSON.stringify({
    config: {
      w: { path_name: path, is_param: false, use_pickle: isPickled, tensor_meta: null },
    },
  });

async function report(members: Record<string, Uint8Array>) {
  const file = zipOf(Object.entries(members).map(([name, bytes]) => ({ name, bytes })));
  return (await scan(bytesSource(file, 'model.pt2'))).report;
}

describe('the scan of an exported program', () => {
  it('finds the objects that its lists call pickled', async () => {
    const found = await report({
      'm/archive_format': bytes('pt2'),
      'm/data/constants/opaque_obj_0': writePickle(call),
      'm/data/constants/model_constants_config.json': bytes(list('opaque_obj_0', true)),
    });
    expect(found).toMatchObject({
      format: 'Exported program (torch.export)',
      verdict: 'refused',
      pickles: [{ where: 'm/data/constants/opaque_obj_0', calls: 1 }],
    });
    expect(found.findings.map(({ code }) => code)).toContain('pickle-dangerous');
    expect(found.summary).toContain('Without weights_only it would call os.system.');
  });

  it('looks into weights that the first versions called .json', async () => {
    const found = await report({
      'serialized_exported_program.json': bytes('{}'),
      'serialized_state_dict.json': writePickle(call),
    });
    expect(found.summary).toContain('os.system');
  });

  it('says so where nothing in it names harm, and never calls it safe', async () => {
    const found = await report({
      'm/archive_format': bytes('pt2'),
      'm/data/weights/model_weights_config.json': bytes('{"config": {}}'),
      'm/data/sample_inputs/model.pt': writePickle(tuple()),
    });
    expect(found.verdict).toBe('refused');
    expect(found.summary).toContain('asks for nothing but what rebuilds tensors');
  });

  it('tells of a list that cannot be read', async () => {
    const found = await report({
      'm/archive_format': bytes('pt2'),
      'm/data/weights/model_weights_config.json': bytes('{"config": '),
    });
    expect(found.findings).toMatchObject([{ code: 'pt2-broken', severity: 'error' }]);
    expect(found.verdict).toBe('unreadable');
  });
});

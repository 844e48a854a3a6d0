import { describe, expect, test } from 'vitest';
import { idleRules, previewRename, rename, type RenameRule } from './rename.ts';

const strip: RenameRule = { kind: 'strip', prefix: 'module.' };

describe('rename', () => {
  test('puts a name through all rules in order', () => {
    const rules: RenameRule[] = [
      strip,
      { kind: 'replace', pattern: String.raw`^layer(\d)\.(\d)`, with: 'stages.$1.blocks.$2' },
      { kind: 'add', prefix: 'encoder.' },
    ];
    expect(previewRename(['module.layer1.0.weight', 'fc.bias'], rules)).toEqual([
      { from: 'module.layer1.0.weight', to: 'encoder.stages.1.blocks.0.weight' },
      { from: 'fc.bias', to: 'encoder.fc.bias' },
    ]);
  });

  test('replaces every place that fits', () => {
    const rules: RenameRule[] = [{ kind: 'replace', pattern: 'o', with: '0' }];
    expect(rename(['foo.o'], rules)[0]!.to).toBe('f00.0');
  });

  test('names two keys that become one', () => {
    const keys = ['fc.weight', 'module.fc.weight'];
    expect(previewRename(keys, [strip])[1]).toEqual({
      from: 'module.fc.weight',
      to: 'fc.weight',
      clash: 'fc.weight',
    });
    expect(() => rename(keys, [strip])).toThrow(
      'rename: "fc.weight" and "module.fc.weight" both become "fc.weight"',
    );
  });

  test('says which rules change nothing', () => {
    const rules: RenameRule[] = [strip, strip, { kind: 'replace', pattern: 'head', with: 'fc' }];
    expect(idleRules(['module.fc.weight'], rules).map(({ message }) => message)).toEqual([
      'rename: "module." taken off changes no key',
      'rename: /head/ replaced by "fc" changes no key',
    ]);
  });

  test('refuses a pattern that is none', () => {
    expect(() => previewRename(['a'], [{ kind: 'replace', pattern: '(', with: '' }])).toThrow(
      'rename: /(/ is no regular expression (unterminated group)',
    );
  });
});

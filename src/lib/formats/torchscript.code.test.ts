import { expect, it } from 'vitest';
import { parseClasses } from './torchscript.code.ts';

it('reads the lines that tell parameters from buffers', () => {
  const classes = parseClasses(
    [
      'class Net(Module):',
      '  __parameters__ = ["weight", "a\\"b", "\\303\\274", ]',
      '  __buffers__ = ["mean", "maybe", ]',
      '  weight : Tensor',
      '  __annotations__["a\\"b"] = Tensor',
      '  mean : Tensor',
      '  maybe : Optional[Tensor]',
      'class Plain:',
      '  __parameters__ = []',
    ].join('\n'),
  );
  expect(classes).toEqual(
    new Map([
      [
        'Net',
        {
          isModule: true,
          parameters: new Set(['weight', 'a"b', 'ü']),
          buffers: new Set(['mean', 'maybe']),
          tensors: new Set(['weight', 'a"b', 'mean']),
        },
      ],
      ['Plain', { isModule: false, parameters: new Set(), buffers: new Set(), tensors: new Set() }],
    ]),
  );
});

it.each([
  ['quotes that do not close', `class A(Module):\n  __parameters__ = [${'"\\'.repeat(500_000)}]`],
  ['empty lines', '\n'.repeat(1_000_000)],
  ['a long name', `class A(Module):\n  __buffers__ = ["${'\\n'.repeat(500_000)}", ]`],
])('takes no longer for %s', (_, code) => {
  const started = performance.now();
  parseClasses(code);
  expect(performance.now() - started).toBeLessThan(5000);
});

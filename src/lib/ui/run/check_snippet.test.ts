import { expect, it } from 'vitest';
import { checkSnippet } from './check_snippet.ts';

it('has six lines and makes inputs of the model’s shapes', () => {
  const lines = checkSnippet([{ name: 'x', shape: [1, 3, 8, 8], dtype: 'float32' }], null).split(
    '\n',
  );
  expect(lines).toHaveLength(6);
  expect(lines[0]).toContain('inputs = [torch.randn(1, 3, 8, 8)]');
});

it('draws tokens of the vocabulary, and masks', () => {
  const inputs = [
    { name: 'ids', shape: [1, 8], dtype: 'int64' },
    { name: 'mask', shape: [1, 8], dtype: 'bool' },
  ];
  expect(checkSnippet(inputs, 65)).toContain(
    'inputs = [torch.randint(0, 65, (1, 8,)), torch.randint(0, 2, (1, 8,)).bool()]',
  );
});

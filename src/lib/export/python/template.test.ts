import { expect, it } from 'vitest';
import { fillTemplate } from './template.ts';

const fill = (template: string, flags = {}, places = {}) =>
  fillTemplate(template, { flags, places });

it('keeps the lines that a flag asks for, and none of the marks', () => {
  const template = `a
#: if x
b
    #: if y
    c
    #: else
    d
    #: end
#: end
e  #: if not x
f  #: if y
`;
  expect(fill(template, { x: true, y: false })).toBe('a\nb\n    d\n');
  expect(fill(template, { x: true, y: true })).toBe('a\nb\n    c\nf\n');
  expect(fill(template, { x: false, y: true })).toBe('a\ne\nf\n');
});

it('puts texts into places, indented as the line is', () => {
  const places = { VALUE: '[\n    1,\n]', NOTHING: '' };
  expect(fill('if x:\n    y = f(_VALUE_)\n    _NOTHING_\n', {}, places)).toBe(
    'if x:\n    y = f([\n        1,\n    ])\n',
  );
});

it('leaves names, and texts that look like places, as they are', () => {
  expect(fill('__name__ _x_ _A\n_B_\n', {}, { B: '"_C_ #: if d"' })).toBe(
    '__name__ _x_ _A\n"_C_ #: if d"\n',
  );
});

it('refuses marks that nothing is known of', () => {
  expect(() => fill('#: if x\n#: end')).toThrow('export: the template asks for the flag x');
  expect(() => fill('_X_')).toThrow('export: the template asks for X');
  expect(() => fill('#: if x\n', { x: true })).toThrow('has no end');
});

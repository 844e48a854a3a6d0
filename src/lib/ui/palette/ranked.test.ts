import { expect, test } from 'vitest';
import type { Command } from '../commands.svelte.ts';
import { paletteSections, pieces } from './ranked.ts';

const command = (id: string, title: string, group: string, words = ''): Command => ({
  ...{ id, title, group, words },
  run: () => {},
});
const commands = [
  command('open', 'Open files…', 'File', 'load drop'),
  command('go.save', 'Save', 'Go to'),
  command('save', 'Save as…', 'File', 'write export'),
];
const shown = (typed: string, recent: string[] = []) =>
  paletteSections(commands, typed, recent).map(({ title, rows }) => [
    title,
    ...rows.map((row) => row.command.id),
  ]);

test('nothing typed: recent ones first, then every group', () => {
  expect(shown('')).toEqual([
    ['File', 'open', 'save'],
    ['Go to', 'go.save'],
  ]);
  expect(shown('', ['save', 'gone'])[0]).toEqual(['Recent', 'save']);
});

test('the best match comes first, with its group', () => {
  expect(shown('save')).toEqual([
    ['Go to', 'go.save'],
    ['File', 'save'],
  ]);
  expect(shown('export')).toEqual([['File', 'save']]);
  expect(shown('zzz')).toEqual([]);
});

test('a title is cut into what was found and what was not', () => {
  expect(pieces('Save', [0, 1])).toEqual([
    { text: 'Sa', found: true },
    { text: 've', found: false },
  ]);
});

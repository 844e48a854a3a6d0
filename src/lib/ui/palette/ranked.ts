/** What the palette lists for what was typed. */
import type { Command } from '../commands.svelte.ts';
import { fuzzyMatch } from './fuzzy.ts';
import { words } from './words.ts';

export interface PaletteRow {
  readonly command: Command;
  /** The characters of its title that were found. */
  readonly at: readonly number[];
}
export interface PaletteSection {
  readonly title: string;
  readonly rows: readonly PaletteRow[];
}

/** More of the recent ones would push the rest away. */
const MOST_RECENT = 5;
/** What other words of a command find counts less than its title. */
const OTHER_WORDS = 0.4;

/**
 * Commands by group. Nothing typed: the recent ones first, then all groups as they were added.
 * Otherwise those that match, the best one first, its group before the others.
 */
export function paletteSections(
  commands: readonly Command[],
  typed: string,
  recent: readonly string[],
): PaletteSection[] {
  if (typed.trim() !== '') return grouped(matches(commands, typed));
  const latest = recent.flatMap((id) => commands.find((it) => it.id === id) ?? []);
  const rows = latest.slice(0, MOST_RECENT).map(plain);
  const all = grouped(commands.map(plain));
  return rows.length > 0 ? [{ title: words.recent, rows }, ...all] : all;
}

function plain(command: Command): PaletteRow {
  return { command, at: [] };
}

function matches(commands: readonly Command[], typed: string): PaletteRow[] {
  const found = commands.flatMap((command) => {
    const { title, group, words: other = '' } = command;
    const inTitle = fuzzyMatch(typed, title);
    if (inTitle) return { command, ...inTitle };
    const inAll = fuzzyMatch(typed, `${title} ${group} ${other}`);
    if (!inAll) return [];
    const at = inAll.at.filter((index) => index < title.length);
    return { command, at, score: inAll.score * OTHER_WORDS };
  });
  return found.sort((a, b) => b.score - a.score);
}

function grouped(rows: readonly PaletteRow[]): PaletteSection[] {
  const groups = Map.groupBy(rows, ({ command }) => command.group);
  return [...groups].map(([title, members]) => ({ title, rows: members }));
}

/** A title in pieces, those that were found marked. */
export function pieces(title: string, at: readonly number[]): { text: string; found: boolean }[] {
  const found = new Set(at);
  const parts: { text: string; found: boolean }[] = [];
  for (const [index, character] of [...title].entries()) {
    const last = parts.at(-1);
    if (last?.found === found.has(index)) last.text += character;
    else parts.push({ text: character, found: found.has(index) });
  }
  return parts;
}

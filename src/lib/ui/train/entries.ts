import type { CommandEntry } from '../commands.svelte.ts';
import { words } from './words/page.ts';

/** How the palette lists what a button of the Train page does. */
export function entry(name: keyof typeof words.commands): CommandEntry {
  return { id: `train.${name}`, group: words.group, ...words.commands[name] };
}

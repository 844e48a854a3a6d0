import type { Tone } from '#lib/inspect/safety/tone.ts';
import type { IconName } from '../Icon.svelte';

export const toneIcons = {
  good: 'shield',
  doubt: 'question',
  bad: 'warning',
} as const satisfies Record<Tone, IconName>;

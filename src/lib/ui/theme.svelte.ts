/** Light, dark, or as the system has it; remembered. public/theme.js sets it before first paint. */
import { keepPreference } from '#lib/storage/preferences.ts';

export type ThemeChoice = 'system' | 'light' | 'dark';
const next = { system: 'light', light: 'dark', dark: 'system' } as const;

class Theme {
  choice = $state<ThemeChoice>('system');
  /** Rises whenever colours change, by choice or by the system; charts redraw on it. */
  version = $state(0);

  /** In the browser only; returns what ends it. */
  start(): () => void {
    const stored = document.documentElement.dataset.theme;
    this.choice = stored === 'light' || stored === 'dark' ? stored : 'system';
    const system = matchMedia('(prefers-color-scheme: dark)');
    const changed = () => this.version++;
    system.addEventListener('change', changed);
    return () => system.removeEventListener('change', changed);
  }

  cycle(): void {
    this.choose(next[this.choice]);
  }

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    const root = document.documentElement;
    if (this.choice === 'system') delete root.dataset.theme;
    else root.dataset.theme = this.choice;
    keepPreference('theme', this.choice === 'system' ? null : this.choice);
    this.version++;
  }
}

export const theme = new Theme();

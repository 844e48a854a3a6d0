import type { LabClient } from '#lib/worker/client.ts';
import type { Notices } from './notices.svelte.ts';
import type { Problems } from './problems.svelte.ts';
import type { Tasks } from './tasks.svelte.ts';

/** What every part of the lab's state works with. */
export interface Desk {
  readonly client: LabClient;
  readonly problems: Problems;
  readonly notices: Notices;
  readonly tasks: Tasks;
}

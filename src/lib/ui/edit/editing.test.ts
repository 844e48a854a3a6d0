import { expect, it, vi } from 'vitest';
import type { Beside, Edit } from '#lib/worker/protocol.ts';
import type { BesideState } from '../beside.svelte.ts';
import type { CheckpointState } from '../checkpoint/checkpoint.svelte.ts';
import type { Desk } from '../desk.ts';
import { EditingState } from './editing.svelte.ts';

const merge: Edit = {
  kind: 'merge',
  in: null,
  how: { kind: 'disjoint' },
  others: [{ other: 1, in: null }],
};

it('previews a list once, and again where a checkpoint that it takes from is closed', async () => {
  let open = [1, 2];
  const call = vi.fn(() => Promise.resolve({ ok: true, preview: { id: open.length } }));
  const get = (id: number) => (open.includes(id) ? ({ id } as Beside) : undefined);
  const editing = new EditingState(
    { client: { call } } as unknown as Desk,
    { opened: {} } as unknown as CheckpointState,
    { get } as unknown as BesideState,
  );
  editing.list.add([merge]);
  await editing.current();
  await editing.current();
  open = [1]; // no edit takes from the other one
  await editing.current();
  expect(call).toHaveBeenCalledTimes(1);
  open = [];
  expect((await editing.current())?.id).toBe(0);
  expect(call).toHaveBeenCalledTimes(2);
});

import { describe, expect, it } from 'vitest';
import type { Beside, Calls, Difference, PairOutcome, PairRow } from '#lib/worker/protocol.ts';
import type { BesideState } from '../beside.svelte.ts';
import type { CheckpointState } from '../checkpoint/checkpoint.svelte.ts';
import type { Desk } from '../desk.ts';
import { Notices } from '../notices.svelte.ts';
import { Problems } from '../problems.svelte.ts';
import { Tasks } from '../tasks.svelte.ts';
import { CompareState } from './compare.svelte.ts';

const equal: Difference = {
  ...{ count: 2, of: 'elements', identical: true, changed: 0, unmeasured: 0 },
  ...{ nans: [0, 0], infinities: [0, 0], measured: null },
};
const tensor = (place: number) =>
  ({ place, name: `t${place}`, dtype: 'float32', shape: [2], requiresGrad: false }) as const;
const pair = (a: number, b: number): PairRow => ({ a: tensor(a), b: tensor(b) });

/** A worker that pairs `pairs`, and answers row by row until `until` says that it waits to be cancelled. */
class FakeClient {
  pairs: PairRow[] = [0, 1, 2, 3].map((place) => pair(place, place));
  outcomes: (row: PairRow) => PairOutcome | 'wait' = () => equal;
  /** Answers what was asked of likely pairs. */
  answer = () => {};
  readonly asked: (readonly (readonly [number, number])[])[] = [];

  async call(name: string, args: unknown, options?: FakeOptions): Promise<unknown> {
    if (name === 'pairTensors') return { ok: true, paired: { rows: this.pairs, rules: [] } };
    if (name === 'suggestPairs') {
      await new Promise<void>((resolve) => (this.answer = resolve));
      return { ok: true, suggestions: [{ pair: [0, 3], why: 'equal', cosine: 1 }] };
    }
    expect(name).toBe('compareCheckpoints');
    const { known = [] } = args as Calls['compareCheckpoints']['args'];
    const rest = [...this.pairs.keys()].filter((row) => !known.includes(row));
    this.asked.push(rest.map((row) => [this.pairs[row]!.a!.place, this.pairs[row]!.b!.place]));
    for (const row of rest) {
      await Promise.resolve();
      const outcome = this.outcomes(this.pairs[row]!);
      if (outcome === 'wait') {
        await new Promise((_, reject) =>
          options!.signal.addEventListener('abort', () => reject(new Error('aborted'))),
        );
      }
      options!.onProgress({ bytes: 1, total: 1, outcomes: [[row, outcome]] });
    }
    return { ok: true, bytes: 1, seconds: 1 };
  }
}
interface FakeOptions {
  readonly signal: AbortSignal;
  onProgress(progress: Calls['compareCheckpoints']['progress']): void;
}

const side = { size: 8, format: 'safetensors', stateDicts: [] };

function setUp() {
  const client = new FakeClient();
  const problems = new Problems();
  const tasks = new Tasks(problems);
  const notices = new Notices();
  const other = { ...side, id: 1, name: 'b' } as unknown as Beside;
  const another = { ...side, id: 2, name: 'c' } as unknown as Beside;
  const state = new CompareState(
    { client, problems, tasks, notices } as unknown as Desk,
    { opened: { ...side, name: 'a' } } as unknown as CheckpointState,
    { list: [other, another] } as unknown as BesideState,
  );
  state.choose(other);
  return { client, tasks, notices, state, another };
}

/** Lets what was started come to its end. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
const statuses = (state: CompareState) => state.rows.map(({ status }) => status);

async function start(state: CompareState): Promise<void> {
  state.follow();
  await settled();
  // After the first list of rows a change waits for the last letter of a rule.
  await new Promise((resolve) => setTimeout(resolve, 220));
}

describe('what is known of pairs', () => {
  it('stays when the comparison is cancelled: only the rest is read then', async () => {
    const { client, tasks, state } = setUp();
    client.outcomes = ({ a }) => (a!.place === 2 ? 'wait' : equal);
    await start(state);
    tasks.list[0]!.cancel();
    await settled();
    expect(statuses(state)).toEqual(['equal', 'equal', 'pending', 'pending']);
    expect([state.running, state.done]).toEqual([false, false]);

    state.select(state.rows[1]!);
    client.outcomes = () => equal;
    state.again();
    await settled();
    expect(client.asked.at(-1)).toEqual([
      [2, 2],
      [3, 3],
    ]);
    expect(statuses(state)).toEqual(['equal', 'equal', 'equal', 'equal']);
    expect([state.done, state.selected?.name]).toEqual([true, 't1']);
  });

  it('stays for the pairs that another rule leaves as they are', async () => {
    const { client, state } = setUp();
    await start(state);
    client.pairs = [pair(0, 1), pair(2, 2), pair(1, 0)];
    state.rules = [{ kind: 'strip', prefix: 'x.' }];
    await start(state);
    expect(client.asked).toHaveLength(2);
    expect(client.asked.at(-1)).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(statuses(state)).toEqual(['equal', 'equal', 'equal']);
  });

  it('is tried again where it could not be read', async () => {
    const { client, state } = setUp();
    client.outcomes = ({ a }) => (a!.place === 1 ? 'zip: cut off' : equal);
    await start(state);
    expect(statuses(state)).toEqual(['equal', 'unread', 'equal', 'equal']);
    state.again();
    await settled();
    expect(client.asked.at(-1)).toEqual([[1, 1]]);
  });

  it('is forgotten where one of the two is another', async () => {
    const { client, state, another } = setUp();
    await start(state);
    state.choose(another);
    await start(state);
    expect(client.asked.at(-1)).toHaveLength(4);
    state.swap();
    await start(state);
    expect(client.asked.at(-1)).toHaveLength(4);
  });
});

describe('swapping the sides', () => {
  it('turns prefixes and pairs around', () => {
    const { state } = setUp();
    state.rules = [
      { kind: 'strip', prefix: 'module.' },
      { kind: 'add', prefix: 'net.' },
    ];
    state.chosen = [[0, 3]];
    state.swap();
    expect(state.rules).toEqual([
      { kind: 'strip', prefix: 'net.' },
      { kind: 'add', prefix: 'module.' },
    ]);
    expect(state.chosen).toEqual([[3, 0]]);
    state.partAll();
    expect(state.chosen).toEqual([]);
  });

  it('offers rules again that have no opposite', () => {
    const { state, notices } = setUp();
    state.swap();
    expect(notices.list).toEqual([]);
    const rules = [{ kind: 'replace', pattern: '^m', with: 'n' }] as const;
    state.rules = rules;
    state.swap();
    expect([state.swapped, state.rules]).toEqual([false, null]);
    notices.undo(notices.list[0]!.id);
    expect([state.swapped, state.rules]).toEqual([true, rules]);
  });
});

describe('likely pairs', () => {
  it('are those of what is compared: an answer that comes after a change is not taken', async () => {
    const { client, state, tasks, another } = setUp();
    await start(state);
    void state.suggest();
    client.answer();
    await settled();
    expect(state.suggestions).toHaveLength(1);
    for (const change of [() => state.swap(), () => state.choose(another)]) {
      void state.suggest();
      const [finding] = tasks.list;
      change();
      expect([state.suggestions, finding!.signal.aborted]).toEqual([null, true]);
      client.answer();
      await settled();
      expect(state.suggestions).toBeNull();
    }
  });
});

describe('the tensor that is looked at', () => {
  it('stays where another part of the file gives it a partner', async () => {
    const { client, state } = setUp();
    client.pairs = [pair(0, 0), { a: tensor(1), b: null }];
    await start(state);
    state.select(state.rows[1]!);
    client.pairs = [pair(0, 0), pair(1, 1)];
    state.chooseStateDict(state.b!, 0);
    await start(state);
    expect([state.selected?.name, state.selected?.pair.b?.name]).toEqual(['t1', 't1']);
  });

  it('stays when the sides are swapped', async () => {
    const { client, state } = setUp();
    client.pairs = [pair(0, 4), pair(1, 5)];
    await start(state);
    state.select(state.rows[1]!);
    client.pairs = [pair(4, 0), pair(5, 1)];
    state.swap();
    await start(state);
    expect(state.selected?.pair).toEqual(pair(5, 1));
  });

  it('is left where it is gone', async () => {
    const { client, state, another } = setUp();
    await start(state);
    state.select(state.rows[3]!);
    client.pairs = [pair(0, 0)];
    state.choose(another);
    await start(state);
    expect(state.selected).toBeNull();
  });
});

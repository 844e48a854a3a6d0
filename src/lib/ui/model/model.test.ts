import { describe, expect, it } from 'vitest';
import type { Calls, Candidate, ProposedArgument } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { Problems } from '../problems.svelte.ts';
import { Tasks } from '../tasks.svelte.ts';
import { ModelState } from './model.svelte.ts';

const net: Candidate = {
  ...{ name: 'Net', kind: 'class', file: 'model.py', line: 1 },
  arguments: [{ name: 'classes', default: '10', annotation: 'int' }],
};
const files = [{ name: 'model.py', text: 'class Net: ...' }];
const shapes = (text: string): Record<string, ProposedArgument> => ({
  classes: { text, from: 'shapes' },
});

/** A worker whose proposals wait until they are answered. */
class FakeClient {
  readonly built: Calls['build']['args'][] = [];
  readonly #waiting: ((proposed: Record<string, ProposedArgument>) => void)[] = [];

  async call(name: string, args: unknown): Promise<unknown> {
    if (name === 'source') return { ok: true, candidates: [net], warnings: [] };
    if (name === 'proposeArguments') {
      const proposed = await new Promise((resolve) => this.#waiting.push(resolve));
      return { ok: true, arguments: proposed };
    }
    expect(name).toBe('build');
    this.built.push(args as Calls['build']['args']);
    return { ok: true, model: { name: 'Net', warnings: [] } };
  }

  /** Answers the oldest question, once it has been asked. */
  async propose(text: string): Promise<void> {
    await settled();
    this.#waiting.shift()!(shapes(text));
    await settled();
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

async function withProposal(text: string) {
  const { client, model } = setUp();
  const opening = model.setFiles(files);
  await client.propose(text);
  await opening;
  return { client, model };
}

function setUp() {
  const client = new FakeClient();
  const problems = new Problems();
  const desk = { client, problems, tasks: new Tasks(problems) } as unknown as Desk;
  return { client, model: new ModelState(desk) };
}

describe('proposed arguments that arrive late', () => {
  it('do not get before what a person is typing', async () => {
    const { client, model } = setUp();
    const opening = model.setFiles(files);
    await settled();
    model.typeInto('classes');
    await client.propose('1000');
    await opening;
    expect(model.arguments).toEqual({});
    model.arguments.classes = '7';
    model.typeInto(null);
    expect(model.arguments).toEqual({ classes: '7' });
  });

  it('are filled in once an empty field is left', async () => {
    const { client, model } = setUp();
    const opening = model.setFiles(files);
    await settled();
    model.typeInto('classes');
    await client.propose('1000');
    await opening;
    model.typeInto(null);
    expect(model.arguments).toEqual({ classes: '1000' });
    model.typeInto('classes');
    model.arguments.classes = '';
    model.typeInto(null);
    expect(model.arguments).toEqual({ classes: '' });
  });

  it('are built with where Build was pressed before', async () => {
    const { client, model } = setUp();
    const opening = model.setFiles(files);
    await settled();
    const building = model.build();
    expect(model.busy).toBe(true);
    await client.propose('1000');
    expect(await building).toBe(true);
    await opening;
    expect(client.built.map((args) => args.arguments)).toEqual([{ classes: '1000' }]);
  });
});

describe('other weights', () => {
  it.each(['another checkpoint', 'another state_dict'])(
    'are proposed for anew: %s',
    async (how) => {
      const { client, model } = await withProposal('1000');
      expect(model.arguments).toEqual({ classes: '1000' });
      if (how === 'another checkpoint') model.checkpointChanged();
      else model.chooseStateDict(1);
      await client.propose('10');
      expect(model.arguments).toEqual({ classes: '10' });
    },
  );

  it('leave what was typed', async () => {
    const { client, model } = await withProposal('1000');
    model.arguments.classes = '7';
    model.checkpointChanged();
    await client.propose('10');
    expect(model.arguments).toEqual({ classes: '7' });
  });
});

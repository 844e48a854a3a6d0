/** The whole way in Node, on the cpu backend: open, look, build, run, train, save, open again. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Lab } from './lab.ts';
import { tinySettings } from '../../../tests/fixtures/tiny.ts';
import type { CallName, Calls, Progress, RunInput, RunSettings } from './protocol.ts';

const samples = 'public/samples/';
const random: RunInput = {
  kind: 'tensors',
  inputs: [{ from: 'random', shape: [1, 10], dtype: 'float32', seed: 1, below: 1 }],
};

/** Data as it is dropped, read as the lab guesses. */
function data(path: string): Calls['data']['args'] {
  return { files: [{ path: path.split('/').at(-1)!, file: file(path) }], wish: {} };
}

function file(path: string, name = path.split('/').at(-1)!): File {
  return new File([readFileSync(samples + path)], name);
}

/** Calls the lab and unwraps a result that is expected to be ok. */
async function call<K extends CallName>(
  lab: Lab,
  name: K,
  args: Calls[K]['args'],
  progress: (progress: Progress<K>) => void = () => {},
): Promise<Extract<Calls[K]['result'], { ok: true }>> {
  const signal = new AbortController().signal;
  const result = await lab.handlers[name](args, { signal, progress });
  if (result && 'ok' in result && !result.ok) throw new Error(result.findings[0]!.message);
  return result as Extract<Calls[K]['result'], { ok: true }>;
}

describe('the digits sample', async () => {
  const lab = new Lab();
  const { checkpoint } = await call(lab, 'open', { file: file('digits/last.pth') });
  await call(lab, 'source', {
    files: [{ name: 'model.py', text: readFileSync(`${samples}digits/model.py`, 'utf8') }],
  });

  it('is shown as a tree with what it holds', async () => {
    expect(checkpoint.format).toBe('PyTorch checkpoint (zip)');
    expect(checkpoint.calls.every(({ allowed }) => allowed)).toBe(true);
    expect(checkpoint.stateDicts[0]).toMatchObject({ label: "['model']" });
    expect(checkpoint.optimizer).toEqual({ label: "['optimizer']", groups: 1, states: 8 });
    const rows = await lab.handlers.children(
      { node: checkpoint.root.id, start: 0, count: 100 },
      never,
    );
    expect(rows.map(({ key }) => key).slice(0, 3)).toEqual(['model', 'optimizer', 'epoch']);
    const [weight] = await lab.handlers.children({ node: rows[0]!.id, start: 0, count: 1 }, never);
    expect(weight).toMatchObject({
      path: "['model']['conv1.weight']",
      tensor: { dtype: 'float32', shape: [16, 1, 3, 3], bytes: 576 },
    });
    const { values } = await call(lab, 'values', { node: weight!.id, count: 5 });
    expect(values.map(Number).every(Number.isFinite)).toBe(true);
    expect(values).toHaveLength(5);
  });

  it('tells which keys rules change, and which of them become one that another is', async () => {
    const rules = [{ kind: 'replace', pattern: '^conv\\d\\.|^bn1\\.', with: 'bn2.' } as const];
    const { renames } = await call(lab, 'renames', { stateDict: 0, rules });
    expect(renames.map(({ from }) => from)).toEqual(
      ['conv1.weight', 'bn1.weight', 'bn1.bias', 'bn1.running_mean', 'bn1.running_var'].concat(
        'bn1.num_batches_tracked',
        'conv2.weight',
      ),
    );
    expect(renames.every(({ to, clash }) => to.startsWith('bn2.') && clash)).toBe(true);
    const strip = [{ kind: 'strip', prefix: 'conv' } as const];
    expect((await call(lab, 'renames', { stateDict: 0, rules: strip })).renames).toEqual([
      { from: 'conv1.weight', to: '1.weight', clash: false },
      { from: 'conv2.weight', to: '2.weight', clash: false },
    ]);
  });

  it('runs, trains, keeps the best and saves it', async () => {
    const { model } = await call(lab, 'build', {
      candidate: 'DigitsCNN',
      arguments: { dropout: '0.1' },
      stateDict: 0,
    });
    expect(model).toMatchObject({
      ready: true,
      exampleShape: [1, 28, 28],
      optimizer: { name: 'AdamW', states: 8 },
      report: { missing: [], unexpected: [], mismatched: [] },
    });
    const { table } = await call(lab, 'tensorTable', {});
    expect(table).toMatchObject({ model: 'DigitsCNN', guessed: 0 });
    expect(table.kinds).toEqual(['Conv2d', 'BatchNorm2d', 'Linear', 'Optimizer state']);
    const { data: facts } = await call(lab, 'data', data('digits/digits.npz'));
    expect(facts).toMatchObject({
      kind: 'arrays',
      input: { dtype: 'float32', shape: [1, 28, 28] },
      recipe: { divide: 255 },
      target: { kind: 'class', classes: [...'0123456789'] },
    });
    const { example } = await call(lab, 'example', { split: 'test', index: 3 });
    const { run } = await call(lab, 'run', {
      input: { kind: 'example', split: 'test', index: 3 },
      top: 3,
    });
    expect(run.backend.name).toBe('cpu');
    expect(String(run.top[0]!.index)).toBe(example.label);
  }, 60_000);
});

describe('the linear sample', async () => {
  const lab = new Lab();
  await call(lab, 'open', { file: file('linear/linear.pth') });
  await call(lab, 'source', {
    files: [{ name: 'model.py', text: readFileSync(`${samples}linear/model.py`, 'utf8') }],
  });
  const { model } = await call(lab, 'build', { candidate: 'Linear', arguments: {}, stateDict: 0 });
  const { data: facts } = await call(lab, 'data', data('linear/data.npz'));
  const settings: RunSettings = {
    ...tinySettings,
    ...{ name: 'linear', epochs: 2, batchSize: 16 },
    optimizer: { name: 'checkpoint', options: { lr: 0.01, weight_decay: 0 } },
  };
  const run = (changes: Partial<RunSettings> = {}, from: 'checkpoint' | 'last' = 'checkpoint') => ({
    settings: { ...settings, ...changes },
    from,
  });

  it('says at once which line of forward is not supported', async () => {
    const lab = new Lab();
    await call(lab, 'open', { file: file('linear/linear.pth') });
    const text = readFileSync(`${samples}linear/model.py`, 'utf8');
    const files = [
      { name: 'm.py', text: text.replace('self.fc(x)', 'torch.fft.rfft(self.fc(x))') },
    ];
    await call(lab, 'source', {
      files: [{ ...files[0]!, text: `import torch\n${files[0]!.text}` }],
    });
    const { model } = await call(lab, 'build', {
      candidate: 'Linear',
      arguments: {},
      stateDict: 0,
    });
    expect(model.exampleShape).toEqual([10]);
    expect(model.warnings).toMatchObject([{ severity: 'warning', code: 'python-unsupported' }]);
    expect(model.warnings[0]!.where).toMatch(/^m\.py line \d+$/);
  });

  it('trains on from its own optimizer state and counts the epochs on', async () => {
    expect(model.exampleShape).toEqual([10]);
    const steps: number[] = [];
    const { summary } = await call(lab, 'train', run(), ({ train }) =>
      steps.push(...train.map(({ step }) => step)),
    );
    const perEpoch = Math.ceil(facts.train / 16);
    expect(steps).toEqual(Array.from({ length: 2 * perEpoch }, (_, index) => index + 1));
    expect(summary.steps).toBe(2 * perEpoch);
    expect(summary.best!.value).toBeLessThanOrEqual(summary.last!.metrics.val_loss!);

    const choices = await lab.handlers.saves({}, never);
    const last = choices.find(({ id }) => id === 'last-checkpoint-pt')!;
    expect(last.name).toMatch(/^linear_last_epoch\d+_valloss\d\.\d{4}\.pt$/);
    const { saved } = await call(lab, 'save', { choice: last.id });
    const again = await call(new Lab(), 'open', { file: saved.file! });
    const keys = again.checkpoint.facts.map(({ label }) => label);
    expect(keys).toContain('epoch');
    expect(again.checkpoint.stateDicts[0]!.label).toBe("['model_state_dict']");
    expect(again.checkpoint.optimizer!.label).toBe("['optimizer_state_dict']");
    const epoch = again.checkpoint.facts.find(({ label }) => label === 'epoch')!;
    expect(Number(epoch.value)).toBe(summary.last!.epoch);
  });

  it('measures a pass alone, and shows what its nodes give', async () => {
    const output = { node: 0, what: 'output', start: 0, count: 1 } as const;
    await expect(call(lab, 'look', output)).rejects.toThrow('graph: no pass is measured');
    const { graph } = await call(lab, 'measure', { input: random });
    const [whole] = graph.parts;
    expect(graph.inputs).toEqual(['x [1, 10]']);
    expect(whole).toMatchObject({ name: 'Linear', type: 'Linear', parameters: 22 });
    const { seen } = await call(lab, 'look', { ...output, node: whole!.outputs[0]!.node });
    const { run } = await call(lab, 'run', { input: random, top: 2 });
    expect(seen.pictures).toMatchObject({ kind: 'bars', low: run.outputs[0]!.values });

    const [measured] = await Promise.allSettled([
      call(lab, 'measure', { input: random }),
      call(lab, 'run', { input: random, top: 2 }),
    ]);
    expect(String('reason' in measured && measured.reason)).toContain('another run is in progress');
  });

  it('gives the same numbers for the same seed', async () => {
    const trained = async () => {
      const lab = new Lab();
      await call(lab, 'open', { file: file('linear/linear.pth') });
      await call(lab, 'source', {
        files: [{ name: 'm.py', text: readFileSync(`${samples}linear/model.py`, 'utf8') }],
      });
      await call(lab, 'build', { candidate: 'Linear', arguments: {}, stateDict: 0 });
      await call(lab, 'data', data('linear/data.npz'));
      return (await call(lab, 'train', run())).summary.last;
    };
    expect(await trained()).toEqual(await trained());
  });

  it('goes on from the run before, or starts over from the file', async () => {
    const more = await call(lab, 'train', run({}, 'last'));
    const over = await call(lab, 'train', run());
    expect(more.summary.last!.epoch).toBe(over.summary.last!.epoch + 2);
    const twice = await call(lab, 'train', run());
    expect(twice.summary.last).toEqual(over.summary.last);
  });

  it('ends a run that is stopped while it starts', async () => {
    const starting = call(lab, 'train', run());
    await call(lab, 'stop', {});
    expect((await starting).summary).toMatchObject({ stopped: true, steps: 0, last: null });
    expect((await call(lab, 'train', run())).summary.stopped).toBe(false);
  });

  it('waits before the first step of a run that is paused while it starts', async () => {
    const states: string[] = [];
    const starting = call(lab, 'train', run(), ({ state, step }) => {
      states.push(state);
      if (state !== 'paused') return;
      expect(step).toBe(0);
      void call(lab, 'resume', {});
    });
    await call(lab, 'pause', {});
    const { summary } = await starting;
    expect(states.filter((state) => state === 'paused')).toHaveLength(1);
    expect(summary.stopped).toBe(false);
  });

  it('drops the weights of a run that failed and keeps the state before it', async () => {
    const { summary } = await call(lab, 'train', run());
    const before = await call(lab, 'run', {
      input: random,
      top: 2,
    });
    const optimizer = { name: 'checkpoint', options: { lr: 1e38 } } as const;
    const wild = run({ optimizer }, 'last');
    await expect(call(lab, 'train', wild)).rejects.toThrow(/training: the loss is \S+ at step/);
    const after = await call(lab, 'run', {
      input: random,
      top: 2,
    });
    expect(after.run.outputs).toEqual(before.run.outputs);
    const more = await call(lab, 'train', run({}, 'last'));
    expect(more.summary.last!.epoch).toBe(summary.last!.epoch + 2);
  });

  it('pauses, resumes and stops', async () => {
    const states: string[] = [];
    const training = call(lab, 'train', run({ epochs: 1000 }), ({ state }) => {
      if (states.at(-1) === state) return;
      states.push(state);
      if (states.length === 1) lab.handlers.pause({}, never);
      if (state === 'paused') setTimeout(() => lab.handlers.resume({}, never), 20);
      if (states.includes('paused') && state === 'running') lab.handlers.stop({}, never);
    });
    const { summary } = await training;
    expect(summary.stopped).toBe(true);
    expect(states).toContain('paused');
    expect(summary.steps).toBeLessThan(1000 * Math.ceil(facts.train / 16));
  });

  it('refuses settings that make no sense', async () => {
    const wrong = [
      { epochs: 0 },
      { epochs: 1.5 },
      { batchSize: NaN },
      { accumulate: 0 },
      { seed: 1.5 },
      { seed: -1 },
      { data: { ...settings.data, validationShare: 1 } },
      { clip: { kind: 'norm', maxNorm: 0, normType: 2 } },
      { ema: { decay: 1 } },
      { earlyStopping: { patience: 0, minDelta: 0 } },
      { monitor: { metric: 'perplexity', mode: 'min' } },
      { keep: { every: -1, newest: 0, steps: 0 } },
    ] as const;
    for (const setting of wrong) {
      const result = await lab.handlers.train(run(setting), never);
      expect(result).toMatchObject({ findings: [{ code: 'training-settings' }] });
    }
  });

  it('trains one run at a time', async () => {
    const first = call(lab, 'train', run());
    const second = await lab.handlers.train(run(), never);
    expect(second).toMatchObject({ ok: false, findings: [{ code: 'training-busy' }] });
    await first;
  });

  it('ends a run whose model is replaced, with a sentence, and frees its tensors', async () => {
    const lab = new Lab();
    const build = { candidate: 'Linear', arguments: {}, stateDict: 0 };
    const open = async () => {
      await call(lab, 'open', { file: file('linear/linear.pth') });
      await call(lab, 'source', {
        files: [{ name: 'm.py', text: readFileSync(`${samples}linear/model.py`, 'utf8') }],
      });
      await call(lab, 'build', build);
      await call(lab, 'data', data('linear/data.npz'));
    };
    const tf = await import('#lib/runtime/tf.ts');
    const counts: number[] = [];
    for (let times = 0; times < 3; times++) {
      await open();
      let told = () => {};
      const training = new Promise<void>((resolve) => (told = resolve));
      const endless = lab.handlers.train(run({ epochs: 1e6 }), { ...never, progress: told });
      await training;
      await call(lab, 'build', build);
      expect(await endless).toMatchObject({ ok: false, findings: [{ code: 'training-ended' }] });
      await new Promise((resume) => setTimeout(resume));
      counts.push(tf.memory().numTensors);
    }
    expect(new Set(counts).size).toBe(1);
  });

  it('keeps what was open when something else does not open', async () => {
    const signal = new AbortController().signal;
    const refused = await lab.handlers.open(
      { file: new File(['hello'], 'notes.txt') },
      { signal, progress: () => {} },
    );
    expect(refused).toMatchObject({
      ok: false,
      findings: [
        {
          code: 'file-unknown',
          message: expect.stringContaining('notes.txt: a text file') as string,
        },
      ],
    });
    const { run } = await call(lab, 'run', {
      input: random,
      top: 2,
    });
    expect(run.outputs.map(({ shape }) => shape)).toEqual([[1, 2]]);
  });
});

const never = { signal: new AbortController().signal, progress: () => {} };

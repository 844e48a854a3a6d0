import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LabClient, WorkerCrash, WorkerError, type WorkerPort } from './client.ts';
import { CANCEL_WITHIN, PING_EVERY, SILENT_PINGS } from './heartbeat.ts';
import { tinySettings } from '../../../tests/fixtures/tiny.ts';
import type { Reply, Request } from './protocol.ts';

class FakePort implements WorkerPort {
  onmessage: WorkerPort['onmessage'] = null;
  onmessageerror: WorkerPort['onmessageerror'] = null;
  onerror: WorkerPort['onerror'] = null;
  terminated = false;
  readonly sent: Request[] = [];

  postMessage(message: Request): void {
    this.sent.push(message);
  }
  terminate(): void {
    this.terminated = true;
  }
  reply(reply: Reply): void {
    this.onmessage?.({ data: reply } as MessageEvent<Reply>);
  }
  fail(message: string): void {
    this.onerror?.({ message } as ErrorEvent);
  }
}

function lab() {
  const ports: FakePort[] = [];
  const client = new LabClient(() => {
    const port = new FakePort();
    ports.push(port);
    return port;
  });
  return { client, ports };
}

const settings = { settings: tinySettings, from: 'checkpoint' as const };

describe('LabClient', () => {
  it('starts the worker on the first call and matches answers by id', async () => {
    const { client, ports } = lab();
    expect(ports).toHaveLength(0);
    const first = client.call('children', { node: 1, start: 0, count: 10 });
    const second = client.call('saves', {});
    expect(ports).toHaveLength(1);
    expect(ports[0]?.sent).toEqual([
      { id: 1, call: 'children', args: { node: 1, start: 0, count: 10 } },
      { id: 2, call: 'saves', args: {} },
    ]);
    ports[0]?.reply({ id: 2, result: ['saves'] });
    ports[0]?.reply({ id: 1, result: ['children'] });
    expect(await second).toEqual(['saves']);
    expect(await first).toEqual(['children']);
  });

  it('starts the worker before the first call where that is wanted', () => {
    const { client, ports } = lab();
    client.start();
    expect(ports.map(({ sent }) => sent)).toEqual([[]]);
    void client.call('saves', {});
    expect(ports).toHaveLength(1);
  });

  it('reports progress until the answer, and not after', async () => {
    const { client, ports } = lab();
    const onProgress = vi.fn();
    const training = client.call('train', settings, { onProgress });
    ports[0]?.reply({ id: 1, progress: { step: 1 } });
    ports[0]?.reply({ id: 1, result: { ok: false, findings: [] } });
    ports[0]?.reply({ id: 1, progress: { step: 2 } });
    expect(await training).toEqual({ ok: false, findings: [] });
    expect(onProgress.mock.calls).toEqual([[{ step: 1 }]]);
  });

  it('rejects at once when aborted, tells the worker and drops the late answer', async () => {
    const { client, ports } = lab();
    const controller = new AbortController();
    const call = client.call('saves', {}, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(ports[0]?.sent.at(-1)).toEqual({ id: 1, abort: true });
    ports[0]?.reply({ id: 1, result: [] });
  });

  it('does not send a call whose signal is aborted already', async () => {
    const { client, ports } = lab();
    const call = client.call('saves', {}, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(ports).toHaveLength(0);
  });

  it('turns an error of the worker into one that names the call', async () => {
    const { client, ports } = lab();
    const call = client.call('saves', {});
    ports[0]?.reply({ id: 1, error: { name: 'TypeError', message: 'no', stack: 'at x' } });
    const error = await call.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WorkerError);
    expect(error).toMatchObject({ name: 'TypeError', message: 'no', details: 'saves: at x' });
  });

  it('rejects every pending call when the worker dies, and starts a fresh one', async () => {
    const { client, ports } = lab();
    const onCrash = vi.fn();
    client.onCrash = onCrash;
    const calls = [client.call('saves', {}), client.call('backend', {})];
    const outcomes = Promise.allSettled(calls);
    ports[0]?.fail('out of memory');
    for (const outcome of await outcomes) {
      expect(outcome.status).toBe('rejected');
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(WorkerCrash);
      expect(String((outcome as PromiseRejectedResult).reason.message)).toBe(
        "the lab's worker stopped: out of memory",
      );
    }
    expect(onCrash).toHaveBeenCalledOnce();
    expect(ports[0]?.terminated).toBe(true);
    const again = client.call('saves', {});
    expect(ports).toHaveLength(2);
    ports[1]?.reply({ id: 3, result: [] });
    expect(await again).toEqual([]);
  });

  it('restarts on demand without reporting a crash', async () => {
    const { client, ports } = lab();
    client.onCrash = vi.fn();
    const call = client.call('saves', {});
    client.restart();
    await expect(call).rejects.toBeInstanceOf(WorkerCrash);
    expect(ports[0]?.terminated).toBe(true);
    expect(client.onCrash).not.toHaveBeenCalled();
  });

  it('rejects a call whose arguments cannot be sent', async () => {
    const client = new LabClient(() => {
      const port = new FakePort();
      port.postMessage = () => {
        throw new DOMException('could not be cloned', 'DataCloneError');
      };
      return port;
    });
    await expect(client.call('saves', {})).rejects.toMatchObject({ name: 'DataCloneError' });
  });
});

describe('a worker that hangs', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const file = new File(['x'], 'hang.pt');
  const deadline = PING_EVERY * SILENT_PINGS;

  /** A client whose worker has loaded, and the crashes that it told of. */
  function watched() {
    const { client, ports } = lab();
    const crashes: WorkerCrash[] = [];
    client.onCrash = (crash) => crashes.push(crash);
    void client.call('saves', {});
    ports[0]!.reply({ id: 1, result: [] });
    return { client, ports, crashes, port: ports[0]! };
  }
  const outcomeOf = (call: Promise<unknown>) => call.catch((error: unknown) => error);

  it('is replaced when it stays silent while it parses, and the file is named', async () => {
    const { client, ports, crashes, port } = watched();
    const outcome = outcomeOf(client.call('open', { file }));
    vi.advanceTimersByTime(deadline - 1);
    expect(port.terminated).toBe(false);
    vi.advanceTimersByTime(1);
    expect(port.terminated).toBe(true);
    expect(await outcome).toBeInstanceOf(WorkerCrash);
    expect(crashes).toMatchObject([
      {
        message: "the lab's worker stopped at hang.pt: it did not answer for 15 s",
        files: ['hang.pt'],
      },
    ]);
    void client.call('saves', {});
    expect(ports).toHaveLength(2);
  });

  it('is kept as long as it answers, however long the work takes', () => {
    const { client, crashes, port } = watched();
    void client.call('scan', { file });
    for (let passed = 0; passed < 10 * deadline; passed += PING_EVERY) {
      vi.advanceTimersByTime(PING_EVERY);
      expect(port.sent.at(-1)).toEqual({ ping: true });
      port.reply({ pong: true });
    }
    expect(crashes).toEqual([]);
    port.reply({ id: 2, result: { ok: false, findings: [] } });
    const sent = port.sent.length;
    vi.advanceTimersByTime(10 * deadline);
    expect(port.sent).toHaveLength(sent);
  });

  it('is not blamed while it loads, nor while it computes', () => {
    const { client, ports } = lab();
    client.onCrash = vi.fn();
    void client.call('open', { file });
    expect(ports[0]!.sent.map((request) => 'ping' in request)).toEqual([true, false]);
    vi.advanceTimersByTime(10 * deadline);
    ports[0]!.reply({ pong: true });
    void client.call('train', settings);
    vi.advanceTimersByTime(10 * deadline);
    expect(client.onCrash).not.toHaveBeenCalled();
  });

  it('is replaced when it does not react to Cancel, and else kept', async () => {
    for (const answers of [true, false]) {
      const { client, crashes, port } = watched();
      const controller = new AbortController();
      const outcome = outcomeOf(client.call('open', { file }, { signal: controller.signal }));
      controller.abort();
      expect(await outcome).toMatchObject({ name: 'AbortError' });
      expect(port.sent.slice(-2)).toEqual([{ id: 2, abort: true }, { ping: true }]);
      port.reply({ id: 2, progress: { bytes: 1 } });
      if (answers) port.reply({ pong: true });
      vi.advanceTimersByTime(CANCEL_WITHIN);
      expect(port.terminated).toBe(!answers);
      expect(crashes.map(({ files }) => files)).toEqual(answers ? [] : [['hang.pt']]);
    }
  });
});

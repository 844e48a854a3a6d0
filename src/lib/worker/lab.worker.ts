/** The worker's entry: messages in, calls to the lab, replies out. */
import { Lab } from './lab.ts';
import type { CallContext } from './lab.state.ts';
import { openInThread, startThreads } from './helper.ts';
import type { CallName, Reply, Request } from './protocol.ts';
import { warmUp } from './warm.ts';

startThreads();
const lab = new Lab(openInThread);
const running = new Map<number, AbortController>();
const idling = new AbortController();
setTimeout(() => void warmUp(idling.signal)); // what was asked meanwhile comes first

self.onmessage = async ({ data: request }: MessageEvent<Request>) => {
  if ('ping' in request) {
    reply({ pong: true });
    return;
  }
  if ('abort' in request) {
    running.get(request.id)?.abort();
    return;
  }
  idling.abort();
  const { id, call, args } = request;
  const controller = new AbortController();
  running.set(id, controller);
  const context: CallContext<CallName> = {
    signal: controller.signal,
    progress: (progress) => reply({ id, progress }),
  };
  try {
    const handler = lab.handlers[call] as (args: object, context: object) => unknown;
    reply({ id, result: await handler(args, context) });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    reply({ id, error: { name, message, stack } });
  } finally {
    running.delete(id);
  }
};

function reply(message: Reply): void {
  self.postMessage(message);
}

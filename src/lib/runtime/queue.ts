/**
 * What was asked of a GPU is computed later. tfjs gathers commands and submits some together; the
 * GPU works through them while the program goes on.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from './tf.ts';

/** Hands the commands that were gathered to the GPU. */
export function submit(backend: WebGPUBackend): void {
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
}

/** Resolves when the current backend has computed everything that was asked of it. */
export async function queueDone(): Promise<void> {
  switch (tf.getBackend()) {
    case 'webgpu': {
      const backend = tf.backend() as WebGPUBackend;
      submit(backend);
      await backend.device.queue.onSubmittedWorkDone();
      break;
    }
    case 'webgl': {
      // Commands are worked through in their order: what is asked for now comes last. Fewer numbers
      // than these would be made without the GPU.
      const last = tf.fill([1024], 1);
      last.dataSync();
      last.dispose();
      break;
    }
    default:
  }
}

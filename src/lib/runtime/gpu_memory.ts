/**
 * The GPU's memory as WebGPU sees it. tfjs keeps the buffers of disposed tensors in a pool that only
 * grows, and its own figure misses what it did not allocate. So creating and destroying buffers is
 * counted at the device itself, and when a model is closed the pool is emptied: each free buffer is
 * taken out by the size and usage that it was created with, and given back not to be used again.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dropConstants } from './constants.ts';
import { submit } from './queue.ts';
import * as tf from './tf.ts';

/** What buffers of one size and usage there are. */
interface Kind {
  readonly size: number;
  readonly usage: number;
  live: number;
}

const kindsOf = new WeakMap<tf.KernelBackend, ReadonlyMap<string, Kind>>();

/** Counts the buffers of a device from now on; call before anything is made on it. */
export function countBuffers(device: GPUDevice): ReadonlyMap<string, Kind> {
  const kinds = new Map<string, Kind>();
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const { size, usage } = buffer;
    const key = `${size} ${usage}`;
    const kind = kinds.get(key) ?? { size, usage, live: 0 };
    kinds.set(key, kind);
    kind.live++;
    const destroy = buffer.destroy.bind(buffer);
    let isDestroyed = false;
    buffer.destroy = () => {
      if (!isDestroyed) kind.live--;
      isDestroyed = true;
      return destroy();
    };
    return buffer;
  };
  return kinds;
}

/** Says which backend works on the device that is counted. */
export function watchBackend(backend: WebGPUBackend, kinds: ReadonlyMap<string, Kind>): void {
  kindsOf.set(backend, kinds);
}

/** Bytes in live GPU buffers of the current backend; 0 where it has none. */
export function gpuBytes(): number {
  let bytes = 0;
  for (const { size, live } of kindsOf.get(tf.backend())?.values() ?? []) bytes += size * live;
  return bytes;
}

/** Destroys the buffers that no tensor holds any more. */
export function releaseFreeBuffers(): void {
  const backend = tf.backend() as WebGPUBackend;
  const kinds = kindsOf.get(backend);
  if (!kinds) return;
  dropConstants(backend);
  // What is disposed goes into the pool only once the commands that use it are submitted.
  submit(backend);
  const { bufferManager: pool } = backend;
  for (const { size, usage, live } of kinds.values()) {
    for (let left = live; left > 0; left--) {
      const free = pool.getNumFreeBuffers();
      pool.releaseBuffer(pool.acquireBuffer(size, usage), false);
      if (pool.getNumFreeBuffers() === free) break; // that one was new: none of this kind was free
    }
  }
}

/**
 * Scalars that come from the host over and over: the 2 of `tf.mul(x, 2)`, an epsilon. tfjs uploads
 * each anew, which costs a buffer and ends a compute pass. On WebGPU the same number is the same
 * buffer here, uploaded once. So nothing may be written into a scalar's buffer in place; a scalar
 * that changes from step to step belongs into a tensor of rank 1.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type * as tf from './tf.ts';

/** More different ones are not constants. */
const MAX_CONSTANTS = 1024;

type DataId = ReturnType<WebGPUBackend['write']>;
const constantsOf = new WeakMap<tf.KernelBackend, Map<string, DataId>>();

export function shareConstants(backend: WebGPUBackend): void {
  const constants = new Map<string, DataId>();
  constantsOf.set(backend, constants);
  const write = backend.write.bind(backend);
  backend.write = (values, shape, dtype) => {
    const isNumber = dtype === 'float32' || dtype === 'int32';
    if (!values || shape.length > 0 || !isNumber) return write(values, shape, dtype);
    const value = values[0] as number;
    const key = `${dtype} ${Object.is(value, -0) ? '-0' : value}`;
    const known = constants.get(key);
    if (known) {
      backend.incRef(known);
      return known;
    }
    const dataId = write(values, shape, dtype);
    if (constants.size < MAX_CONSTANTS) {
      // One reference more than there are tensors: it stays when they go.
      backend.incRef(dataId);
      constants.set(key, dataId);
    }
    return dataId;
  };
}

/** Gives up the constants that no tensor holds. */
export function dropConstants(backend: WebGPUBackend): void {
  const constants = constantsOf.get(backend);
  for (const [key, dataId] of constants ?? []) {
    if (backend.refCount(dataId) > 1) continue;
    constants!.delete(key);
    backend.disposeData(dataId);
  }
}

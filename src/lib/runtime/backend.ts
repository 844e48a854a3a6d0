/**
 * The backend that runs models: tfjs-core over WebGPU, and where there is none over WebGL, then
 * over plain JavaScript. tfjs comes in by its members and only when a model is first run: the
 * whole package is twice the size. This folder is the only importer of tfjs.
 *
 * WebGPU errors never become exceptions: an invalid program drops the commands around it and
 * leaves zeros. So every uncaptured error is kept, and `check` throws it before numbers are used.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { shareConstants } from './constants.ts';
import { countBuffers, watchBackend } from './gpu_memory.ts';
import { mendPrograms } from './kernels/mended.ts';
import * as tf from './tf.ts';

export type BackendName = 'webgpu' | 'webgl' | 'cpu';

export interface Backend {
  readonly name: BackendName;
  /** The adapter's vendor and architecture, where the browser tells; empty for cpu. */
  readonly adapter: string;
  /** Why a better backend was not taken. */
  readonly reason?: string;
  /** Throws if the device reported an error or was lost since the backend was made. */
  check(): void;
}

/** Makes the best backend of `order` the current one. Throws if none of them works. */
export async function startBackend(
  order: readonly BackendName[] = ['webgpu', 'webgl', 'cpu'],
): Promise<Backend> {
  const reasons: string[] = [];
  for (const name of order) {
    try {
      const started = await starters[name]();
      return { name, ...started, ...(reasons.length > 0 && { reason: reasons.join('; ') }) };
    } catch (error) {
      reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`no backend works: ${reasons.join('; ')}`);
}

type Started = Omit<Backend, 'name' | 'reason'>;

const starters: Record<BackendName, () => Promise<Started>> = {
  webgpu: startWebGPU,
  webgl: async () => {
    await import('@tensorflow/tfjs-backend-webgl');
    await activate('webgl');
    if (!tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) {
      tf.removeBackend('webgl');
      throw new Error('the GPU renders no 32-bit floats');
    }
    return { adapter: `WebGL ${tf.env().getNumber('WEBGL_VERSION')}`, check() {} };
  },
  cpu: async () => {
    await import('@tensorflow/tfjs-backend-cpu');
    await activate('cpu');
    return { adapter: '', check() {} };
  },
};

async function activate(name: BackendName): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Error('the backend did not start');
  await tf.ready();
}

/** Storage buffers a kernel may bind: addN with eight inputs needs nine (the default is 8). */
const WANTED_LIMITS = [
  'maxStorageBuffersPerShaderStage',
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
] as const;

async function startWebGPU(): Promise<Started> {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter({
    powerPreference: 'high-performance',
  });
  if (!adapter) throw new Error('this browser or computer offers no WebGPU adapter');
  const requiredLimits: Record<string, number> = {};
  for (const limit of WANTED_LIMITS) requiredLimits[limit] = adapter.limits[limit];
  const requiredFeatures = (['timestamp-query', 'bgra8unorm-storage'] as const).filter((feature) =>
    adapter.features.has(feature),
  );
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
  const buffers = countBuffers(device);
  let problem: string | undefined;
  device.onuncapturederror = ({ error }) => (problem ??= error.message);
  void device.lost.then(({ message, reason }) => {
    problem ??= `the GPU device was lost (${reason || 'unknown'}): ${message}`;
  });
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  tf.removeBackend('webgpu');
  const make = () => {
    const backend = new WebGPUBackend(device, adapter.info);
    watchBackend(backend, buffers);
    mendPrograms(backend);
    shareConstants(backend);
    return backend;
  };
  tf.registerBackend('webgpu', make, 3);
  // Small tensors would run on the CPU, with other rounding than large ones.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  await activate('webgpu');
  const { vendor, architecture, description } = adapter.info;
  return {
    adapter: [vendor, architecture || description].filter(Boolean).join(' '),
    check() {
      if (problem === undefined) return;
      throw new FindingError({
        code: 'backend-failed',
        message: `webgpu: ${problem}`,
        advice:
          'Try again: the device is made anew, and the model goes on from its last kept state.',
      });
    },
  };
}

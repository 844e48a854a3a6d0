/**
 * WebGPU for tests that run in Node: Dawn (npm `webgpu`), on a GPU where there is one, else on the
 * software adapter that comes with Chromium.
 */
import { existsSync } from 'node:fs';
import { create, globals } from 'webgpu';

/** Where Chromium's packages keep SwiftShader's Vulkan driver. */
const SWIFTSHADER = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'].map(
  (folder) => `${folder}/vk_swiftshader_icd.json`,
);

/** Makes `navigator.gpu` available. Gives null, or what stands in the way. */
export async function installWebGPU(): Promise<string | null> {
  const driver = SWIFTSHADER.find((path) => existsSync(path));
  if (driver && !process.env.WEIGHTROOM_GPU) process.env.VK_ICD_FILENAMES = driver;
  Object.assign(globalThis, globals);
  const gpu = create([]);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  if (await gpu.requestAdapter()) return null;
  return 'no WebGPU adapter: install Chromium, whose software adapter the tests use';
}

/**
 * WebGPU for tests that run in Node: Dawn (npm `webgpu`) on the software adapter that comes with
 * Chromium, or on a GPU where WEIGHTROOM_GPU is set.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { create, globals } from 'webgpu';
import { installPackages } from './debian.ts';

/** Vulkan driver of Chromium's software adapter. */
const softwareVulkan = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Installs the Vulkan loader where that is possible. Gives null, or what to install. */
export function ensureVulkan(): string | null {
  const found = () => spawnSync('ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? '';
  if (found().includes('libvulkan.so.1')) return null;
  if (installPackages('libvulkan1') && found().includes('libvulkan.so.1')) return null;
  return 'the Vulkan loader is missing: install libvulkan1';
}

/** Makes `navigator.gpu` available. Gives null, or what stands in the way. */
export async function installWebGPU(): Promise<string | null> {
  if (!process.env.WEIGHTROOM_GPU && existsSync(softwareVulkan)) {
    process.env.VK_ICD_FILENAMES = softwareVulkan;
  }
  Object.assign(globalThis, globals);
  const gpu = create([]);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  if (await gpu.requestAdapter()) return null;
  return 'no WebGPU adapter: install libvulkan1 and Chromium, whose software adapter the tests use';
}

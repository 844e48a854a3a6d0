import { existsSync } from 'node:fs';
import { installPackages } from './debian.ts';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Path of Chromium (the environment variable CHROMIUM decides), or null where there is none. */
export const chromium = findChromium();

function findChromium(): string | null {
  const candidates = process.env.CHROMIUM ? [process.env.CHROMIUM] : places;
  return candidates.find((path) => existsSync(path)) ?? null;
}

/** Flags that give Chromium a WebGPU adapter in software, where there is no GPU. */
export const softwareWebgpu = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  // Without these, reading GPU data back gives zeros and kills the device.
  '--use-angle=vulkan',
  '--use-vulkan=swiftshader',
  '--enable-unsafe-swiftshader',
];

/** Installs Chromium where that is possible. Gives null, or a message that says what to install. */
export function ensureChromium(): string | null {
  if (findChromium()) return null;
  const named = process.env.CHROMIUM;
  if (named) return `Chromium is missing: the environment variable CHROMIUM names ${named}`;
  if (installPackages('chromium') && findChromium()) return null;
  return 'Chromium is missing: install it, or name its path in the environment variable CHROMIUM';
}

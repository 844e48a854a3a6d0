/** Sizes, counts and shapes in a few characters, the same everywhere. */

export const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `256.9 kB`; decimal units, as file managers and model hubs count. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : threeDigits(value)} ${byteUnits[unit]}`;
}

/** `20,456` below a million, `12.3 M` from there. */
export function formatCount(count: number): string {
  if (count < 1e6) return count.toLocaleString('en-US');
  if (count < 1e9) return `${threeDigits(count / 1e6)} M`;
  return `${threeDigits(count / 1e9)} G`;
}

/** `1.23`, `12.3`, `123`. */
export function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** As PyTorch prints a torch.Size: `[16, 1, 3, 3]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

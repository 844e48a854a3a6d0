/** Numbers as the lab writes them: short, with a unit, the same everywhere. */
import { byteUnits, formatBytes, threeDigits } from '#lib/checkpoint/figures.ts';

export { formatBytes, formatCount, formatShape, plural } from '#lib/checkpoint/figures.ts';

/** Reads `5 GB`, `1.5gb`, `500 MB`, `4096`; null where it is no number of bytes above 0. */
export function parseBytes(text: string): number | null {
  const [, digits, name = 'b'] = /^\s*(\d{1,15}(?:\.\d+)?)\s*([a-z]{1,2})?\s*$/i.exec(text) ?? [];
  const unit = byteUnits.findIndex((known) => known.toLowerCase() === name.toLowerCase());
  const bytes = Math.floor(Number(digits) * 1000 ** unit);
  return unit >= 0 && bytes > 0 && Number.isSafeInteger(bytes) ? bytes : null;
}

/** `0.4 s`, `42 s`, `3:07`, `1:02:33`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${pad(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}

/** `12.4 s`, `1240 ms`, `12.3 ms`, `0.42 ms`, `0.004 ms`; below a microsecond, `0 ms`. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds < 0.0005) return '0 ms';
  if (milliseconds < 0.0995) return `${milliseconds.toFixed(3)} ms`;
  if (milliseconds >= 9999.5) return `${threeDigits(milliseconds / 1000)} s`;
  return `${threeDigits(milliseconds)} ms`;
}

/** `512 MB of 1.07 GB · 764 MB/s · 0.7 s left`, from what was done in some seconds. */
export function paceText(bytes: number, total: number, seconds: number): string {
  const parts = [`${formatBytes(bytes)} of ${formatBytes(total)}`];
  if (bytes > 0 && seconds > 0) {
    const rate = bytes / seconds;
    parts.push(`${formatBytes(rate)}/s`, `${formatSeconds((total - bytes) / rate)} left`);
  }
  return parts.join(' · ');
}

const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** `29 Nov 2026, 13:20`, in the person's time zone, from milliseconds since 1970. */
export function formatDate(milliseconds: number): string {
  return date.format(milliseconds);
}

/** Losses: four significant digits, exponents only where zeros would hide the number. */
export function formatLoss(loss: number): string {
  if (!Number.isFinite(loss)) return String(loss);
  const size = Math.abs(loss);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? loss.toExponential(3) : loss.toPrecision(4);
}

export function formatPercent(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(digits)} %` : '–';
}

/** A part of something: `0`, `< 0.01 %`, `0.02 %`, `> 99.9 %`: what is not all is not rounded to all. */
export function formatShare(share: number): string {
  if (share === 0) return '0';
  if (share === 1) return '100 %';
  if (share > 0 && share < 1e-4) return '< 0.01 %';
  if (share < 1 && share >= 0.9995) return '> 99.9 %';
  return formatPercent(share, share < 0.1 ? 2 : 1);
}

/** Reads `1, 28, 28`, `[1, 28, 28]` or `1x28x28`; null where it is no shape. */
export function parseShape(text: string): number[] | null {
  const inner = text
    .trim()
    .replace(/^[[(]\s*/, '')
    .replace(/\s*,?\s*[\])]$/, '');
  if (inner === '') return [];
  const parts = inner.split(/\s*[,x×]\s*|\s+/);
  if (!parts.every((part) => /^\d{1,9}$/.test(part))) return null;
  const shape = parts.map(Number);
  return shape.every((size) => size > 0) ? shape : null;
}

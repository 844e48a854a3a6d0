/** Numbers of a comparison, short enough for a table. */

/** `0.00123`, `1.2e-7`, `∞`; empty for null. */
export function formatChange(value: number | null): string {
  if (value === null) return '';
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : '∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

/** Cosines near 1 by how far they are from it: `1 − 3e-8`. */
export function formatCosine(value: number | null): string {
  if (value === null) return '';
  const rest = 1 - value;
  // Nearer than that is the rounding of the sums.
  if (rest > 1e-13 && rest < 1e-4) return `1 − ${rest.toExponential(0)}`;
  return String(Number(value.toFixed(4)));
}

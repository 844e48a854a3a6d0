/** The numbers of a forward pass as the page shows them, against PyTorch's. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { runPython } from '../python.ts';

/** What PyTorch gives for each sample's first held-out example, by the sample's id. */
export async function predictions(): Promise<Record<string, number[]>> {
  return JSON.parse(await runPython('tests/judge/predict.py')) as Record<string, number[]>;
}

/** Opens the table of raw outputs on the Run page and reads it. */
export async function rawOutputs(page: Page): Promise<number[]> {
  const table = page.getByRole('region', { name: 'Raw outputs' });
  if (!(await table.isVisible())) await page.getByText('Raw outputs', { exact: true }).click();
  const cells = table.locator('td.mono');
  return (await cells.allInnerTexts()).map(Number);
}

/** The largest difference over the largest reference is at most 1e-5. */
export function expectEqual(shown: readonly number[], expected: readonly number[]): void {
  expect(shown).toHaveLength(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  for (const [index, value] of expected.entries()) {
    expect(Math.abs(shown[index]! - value) / largest).toBeLessThanOrEqual(1e-5);
  }
}

/** What of a page may be wrong without anyone looking at it. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';

/** Serious and critical findings of axe, of all of its rules or of some. */
export async function graveFindings(page: Page, rules?: string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode(); // else each run opens another page
  if (rules) axe.withRules(rules);
  const { violations } = await axe.analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id} at ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Whether the page overflows sideways. */
export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const main = document.querySelector('main');
    return [document.documentElement, main].some((it) => it && it.scrollWidth > it.clientWidth + 1);
  });
}

/** Opens the sections that an element stands in, and brings it into view. */
export function reveal(element: Element): void {
  let section = element.closest('details');
  while (section) {
    section.open = true;
    section = section.parentElement?.closest('details') ?? null;
  }
  element.scrollIntoView({ block: 'nearest' });
}

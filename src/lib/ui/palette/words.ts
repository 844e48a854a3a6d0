/** What the palette and the list of shortcuts say. */
export const words = {
  title: 'Commands',
  search: 'Search commands',
  placeholder: 'What do you want to do?',
  recent: 'Recent',
  nothing: (typed: string) => `No command for “${typed}”`,
  found: (count: number) => (count === 1 ? '1 command' : `${count} commands`),
  shortcuts: 'Keyboard shortcuts',
  close: 'Close',
  singleKeys: 'Shortcuts of single keys, such as ? and g c',
  then: 'then',
} as const;

/** What can be done from every page. It reads the lab's state, so it is made anew as that changes. */
import { canPickDirectory } from '#lib/storage/picker.ts';
import type { Command } from '../commands.svelte.ts';
import type { Lab, Page } from '../lab.svelte.ts';
import type { Sample } from '../samples.ts';
import { theme } from '../theme.svelte.ts';

const pages: { to: Page; title: string; key: string; words: string }[] = [
  { to: '/', title: 'Open', key: 'o', words: 'start home library recent samples runs' },
  { to: '/checkpoint', title: 'Checkpoint', key: 'c', words: 'tree tensors inspect keys' },
  { to: '/safety', title: 'Safety', key: 'f', words: 'scan pickle weights_only malicious' },
  { to: '/compare', title: 'Compare', key: 'd', words: 'diff difference two' },
  { to: '/edit', title: 'Edit', key: 'e', words: 'convert rename cast merge drop shard' },
  { to: '/model', title: 'Model', key: 'm', words: 'source python build architecture' },
  { to: '/run', title: 'Run', key: 'r', words: 'predict inference forward graph' },
  { to: '/train', title: 'Train', key: 't', words: 'fine-tune epochs optimizer' },
  { to: '/save', title: 'Save', key: 's', words: 'write download export' },
  { to: '/guide', title: 'Guide', key: 'h', words: 'help how to walk through' },
];

export function appCommands(lab: Lab, samples: readonly Sample[]): Command[] {
  return [...goTo(lab), ...files(lab, samples), ...work(lab), ...tasks(lab), ...view(lab)];
}

function goTo(lab: Lab): Command[] {
  return pages.map(({ to, title, key, words }) => ({
    ...{ id: `go${to}`, title, group: 'Go to', words, shortcut: `g ${key}` },
    run: () => lab.go(to),
  }));
}

function files(lab: Lab, samples: readonly Sample[]): Command[] {
  const group = 'File';
  const openSamples = samples.map((sample): Command => ({
    ...{ id: `sample.${sample.id}`, title: `Open sample: ${sample.title}`, group },
    words: 'example demo',
    run: () => lab.openSample(sample),
  }));
  const folder: Command = {
    ...{ id: 'open.folder', title: 'Open a folder…', group, words: 'sharded distributed run' },
    run: () => lab.arrivals.pickFolder(),
  };
  return [
    {
      ...{ id: 'open.files', title: 'Open files…', group, shortcut: 'mod+o' },
      words: 'checkpoint load pt pth safetensors gguf npz',
      run: () => lab.arrivals.pickFiles(),
    },
    ...(canPickDirectory() ? [folder] : []),
    ...kept(lab),
    ...openSamples,
  ];
}

/** What was opened before, and what is in the library as far as it has been looked at. */
function kept({ recent, library, arrivals }: Lab): Command[] {
  const group = 'File';
  const known = recent.list.filter(({ handles }) => handles.length > 0);
  return [
    ...known.map((files): Command => ({
      ...{ id: `recent.${files.id}`, title: `Open recent: ${files.name}`, group },
      run: () => arrivals.openRecent(files),
    })),
    ...(library.facts?.entries ?? []).map((entry): Command => ({
      ...{ id: `library.${entry.id}`, title: `Open from the library: ${entry.name}`, group },
      run: () => arrivals.openKept(entry),
    })),
  ];
}

/** What can be done with what is open. */
function work(lab: Lab): Command[] {
  const { checkpoint, safety, model, running, training, library } = lab;
  const { dropped } = checkpoint;
  const group = 'Checkpoint';
  const list: (Command | false | null | undefined)[] = [
    checkpoint.opened &&
      !checkpoint.verifying && {
        ...{ id: 'verify', title: 'Verify the file', group, words: 'checksum crc read every byte' },
        run: () => {
          lab.go('/checkpoint');
          void checkpoint.verify();
        },
      },
    checkpoint.opened && {
      ...{ id: 'report', title: 'Save a report to print', group, words: 'html summary overview' },
      run: () => checkpoint.report(),
    },
    dropped && {
      ...{ id: 'scan', title: 'Look for what it would run', group, words: 'safety scan pickle' },
      run: () => {
        lab.go('/safety');
        if (safety.subject !== dropped) void safety.scan(dropped);
      },
    },
    checkpoint.opened &&
      dropped &&
      !library.writing && {
        ...{ id: 'keep', title: 'Keep in the library', group, words: 'store private disk offline' },
        run: () => library.keep(dropped, checkpoint.opened!.name),
      },
    checkpoint.opened && {
      ...{ id: 'save', title: 'Save…', group, shortcut: 'mod+s', words: 'download write export' },
      run: () => lab.go('/save'),
    },
    model.candidate &&
      !model.busy &&
      !training.running && {
        ...{ id: 'build', title: 'Build the model', group: 'Model', words: 'source bind load' },
        run: async () => {
          lab.go('/model');
          await lab.build();
        },
      },
    model.built?.ready &&
      running.input && {
        ...{ id: 'run', title: 'Run the model', group: 'Model', words: 'predict forward' },
        run: () => {
          lab.go('/run');
          void running.run();
        },
      },
    training.running && {
      ...{ id: 'train.stop', title: 'Stop training', group: 'Model', words: 'end cancel' },
      run: () => training.stop(),
    },
  ];
  return list.filter((it) => !!it);
}

function tasks({ tasks, problems }: Lab): Command[] {
  const cancel = tasks.list.map((task, index): Command => ({
    ...{ id: `cancel.${index}`, title: `Cancel: ${task.label}`, group: 'In progress' },
    words: 'stop abort',
    run: () => task.cancel(),
  }));
  const dismiss: Command = {
    ...{ id: 'dismiss', title: 'Dismiss all problems', group: 'In progress', words: 'close hide' },
    run: () => problems.list.forEach(({ id }) => problems.dismiss(id)),
  };
  return problems.list.length > 0 ? [...cancel, dismiss] : cancel;
}

function view({ commands }: Lab): Command[] {
  const group = 'View';
  const themes = [
    { choice: 'light', title: 'Light theme' },
    { choice: 'dark', title: 'Dark theme' },
    { choice: 'system', title: 'Theme as the system has it' },
  ] as const;
  return [
    ...themes.map(({ choice, title }): Command => ({
      ...{ id: `theme.${choice}`, title, group, words: 'colours mode appearance' },
      run: () => theme.choose(choice),
    })),
    {
      ...{ id: 'shortcuts', title: 'Keyboard shortcuts', group, shortcut: '?', words: 'keys help' },
      run: () => (commands.shown = 'shortcuts'),
    },
    {
      ...{
        id: 'palette',
        title: 'All commands',
        group,
        shortcut: 'mod+k',
        words: 'palette search',
      },
      run: () => (commands.shown = 'palette'),
    },
  ];
}

/** What can be done from every page. It reads the lab's state, so it is made anew as that changes. */
import { canPickDirectory } from '#lib/storage/picker.ts';
import type { Command, Offered } from '../commands.svelte.ts';
import type { Lab, Page } from '../lab.svelte.ts';
import type { Sample } from '../samples.ts';
import { theme } from '../theme.svelte.ts';
import { words as common } from '../words.ts';
import { words } from './words.ts';

/** The second key of `g c`: where it goes to. */
const keys: Record<Page, string> = {
  '/': 'o',
  '/checkpoint': 'c',
  '/safety': 'f',
  '/compare': 'd',
  '/edit': 'e',
  '/model': 'm',
  '/run': 'r',
  '/train': 't',
  '/save': 's',
  '/guide': 'h',
};

export function appCommands(lab: Lab, samples: readonly Sample[]): Offered[] {
  return [...goTo(lab), ...files(lab, samples), ...work(lab), ...tasks(lab), ...view(lab)];
}

function goTo(lab: Lab): Command[] {
  const group = words.groups.goTo;
  return (Object.keys(keys) as Page[]).map((page) => ({
    ...{ id: `go${page}`, title: common.pages[page], group, words: words.pages[page] },
    shortcut: `g ${keys[page]}`,
    run: () => lab.go(page),
  }));
}

function files(lab: Lab, samples: readonly Sample[]): Command[] {
  const group = words.groups.file;
  const openSamples = samples.map((sample): Command => ({
    ...{ id: `sample.${sample.id}`, ...words.openSample(sample.title), group },
    run: () => lab.openSample(sample),
  }));
  const folder: Command = {
    ...{ id: 'open.folder', ...words.openFolder, group },
    run: () => lab.arrivals.pickFolder(),
  };
  return [
    {
      ...{ id: 'open.files', ...words.openFiles, group, shortcut: 'mod+o' },
      run: () => lab.arrivals.pickFiles(),
    },
    ...(canPickDirectory() ? [folder] : []),
    ...kept(lab),
    ...openSamples,
  ];
}

/** What was opened before, and what is in the library as far as it has been looked at. */
function kept({ recent, library, arrivals }: Lab): Command[] {
  const group = words.groups.file;
  const known = recent.list.filter(({ handles }) => handles.length > 0);
  return [
    ...known.map((files): Command => ({
      ...{ id: `recent.${files.id}`, ...words.openRecent(files.name), group },
      run: () => arrivals.openRecent(files),
    })),
    ...(library.facts?.entries ?? []).map((entry): Command => ({
      ...{ id: `library.${entry.id}`, ...words.openKept(entry.name), group },
      run: () => arrivals.openKept(entry),
    })),
  ];
}

/** What can be done with what is open. */
function work(lab: Lab): Offered[] {
  const { checkpoint, safety, model, running, training, library } = lab;
  const { dropped } = checkpoint;
  const { checkpoint: group, model: modelGroup } = words.groups;
  return [
    checkpoint.opened &&
      !checkpoint.verifying && {
        ...{ id: 'verify', ...words.verify, group },
        run: () => {
          lab.go('/checkpoint');
          void checkpoint.verify();
        },
      },
    checkpoint.opened && {
      ...{ id: 'report', ...words.report, group },
      run: () => checkpoint.report(),
    },
    dropped && {
      ...{ id: 'scan', ...words.scan, group },
      run: () => {
        lab.go('/safety');
        if (safety.subject !== dropped) void safety.scan(dropped);
      },
    },
    checkpoint.opened &&
      dropped &&
      !library.writing && {
        ...{ id: 'keep', ...words.keep, group },
        run: () => library.keep(dropped, checkpoint.opened!.name),
      },
    checkpoint.opened && {
      ...{ id: 'close', ...words.close, group },
      run: () => lab.closeCheckpoint(),
    },
    checkpoint.opened && {
      ...{ id: 'save', ...words.save, group, shortcut: 'mod+s' },
      run: () => lab.go('/save'),
    },
    model.candidate &&
      !model.busy &&
      !training.running && {
        ...{ id: 'build', ...words.build, group: modelGroup },
        run: async () => {
          lab.go('/model');
          await lab.build();
        },
      },
    model.built?.ready &&
      running.input && {
        ...{ id: 'run', ...words.run, group: modelGroup },
        run: () => {
          lab.go('/run');
          void running.run();
        },
      },
    training.running && {
      ...{ id: 'train.stop', ...words.stopTraining, group: modelGroup },
      run: () => training.stop(),
    },
  ];
}

function tasks({ tasks, problems, notices }: Lab): Command[] {
  const group = words.groups.work;
  const cancel = tasks.list.map((task, index): Command => ({
    ...{ id: `cancel.${index}`, ...words.cancelTask(task.label), group },
    run: () => task.cancel(),
  }));
  const dismiss: Command = {
    ...{ id: 'dismiss', ...words.dismissAll, group },
    run: () => problems.list.forEach(({ id }) => problems.dismiss(id)),
  };
  const undo = notices.list.map(({ id, text }): Command => ({
    ...{ id: `undo.${id}`, title: common.notices.undo(text), group, words: words.undoWords },
    run: () => notices.undo(id),
  }));
  return [...cancel, ...undo, ...(problems.list.length > 0 ? [dismiss] : [])];
}

function view({ commands }: Lab): Command[] {
  const group = words.groups.view;
  const themes = ['light', 'dark', 'system'] as const;
  return [
    ...themes.map((choice): Command => ({
      ...{ id: `theme.${choice}`, ...words.themes[choice], group, words: words.themeWords },
      run: () => theme.choose(choice),
    })),
    {
      ...{ id: 'shortcuts', ...words.allShortcuts, group, shortcut: '?' },
      run: () => (commands.shown = 'shortcuts'),
    },
    {
      ...{ id: 'palette', ...words.allCommands, group, shortcut: 'mod+k' },
      run: () => (commands.shown = 'palette'),
    },
  ];
}

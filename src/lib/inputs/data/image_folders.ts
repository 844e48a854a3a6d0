/**
 * Pictures by the folders that they lie in, as torchvision.datasets.ImageFolder sees them: a folder
 * for each class, in Python's order of their names, and in each the pictures of all folders below, by
 * folder and then by name. Above the class folders there may be a level that says what for: train
 * and val or test.
 */
import { listed } from '#lib/formats/folder.files.ts';
import { byCodePoints } from '../python_order.ts';
import { DataError } from './choices.ts';
import type { DataMember } from './given.ts';
import { purposeOf } from './purpose.ts';

export interface ClassFolder {
  /** Its path. */
  readonly folder: string;
  readonly classes: readonly string[];
  /** In the order of the classes. */
  readonly pictures: readonly DataMember[];
  readonly labels: Int32Array;
}

export interface ImageFolders {
  readonly train: ClassFolder;
  readonly held: ClassFolder | null;
  readonly notes: readonly string[];
}

const ADVICE =
  'Expected: a folder for each class with its pictures inside, in folders train and val or without them.';

interface Located {
  readonly member: DataMember;
  /** Folders above the picture, outermost first. */
  readonly folders: readonly string[];
}

/** Throws a FindingError where no folders say the classes, or those of both parts differ. */
export function imageFolders(pictures: readonly DataMember[]): ImageFolders {
  const located = pictures.map((member) => ({
    member,
    folders: member.path.split('/').slice(0, -1),
  }));
  const root = rootOf(located);
  const below = located.filter(({ folders }) => folders.length > root.length);
  const level = [...new Set(below.map(({ folders }) => folders[root.length]!))];
  const purposes = new Map(level.map((name) => [name, purposeOf(name)] as const));
  const isLevel = [...purposes.values()].every(({ purpose, rest }) => purpose && rest.length === 0);
  const loose = located.length - below.length;
  const notes = loose > 0 ? [`left out: ${loose} pictures outside of the class folders`] : [];
  if (!isLevel) return { train: classFolder(below, root), held: null, notes };
  const named = (purpose: string) => level.find((name) => purposes.get(name)!.purpose === purpose);
  const [train, held, test] = [named('train'), named('held'), named('test')];
  if (train === undefined) {
    throw new DataError(`there is no folder train beside ${listed(level)}`, ADVICE);
  }
  const part = (name: string) => {
    const own = below.filter(({ folders }) => folders[root.length] === name);
    return classFolder(own, [...root, name]);
  };
  const trained = part(train);
  const other = held ?? test;
  const unused = level.filter((name) => name !== train && name !== other);
  const isUsable = below.some(
    ({ folders }) => folders[root.length] === other && folders.length > root.length + 1,
  );
  notes.push(
    ...[...unused, ...(isUsable || !other ? [] : [other])].map((name) => `left out: ${name}`),
  );
  if (!other || !isUsable) return { train: trained, held: null, notes };
  const heldOut = relabelled(part(other), trained);
  const missing = trained.classes.filter((_, label) => !heldOut.labels.includes(label));
  if (missing.length > 0) notes.push(`${other} has no pictures of ${listed(missing)}`);
  return { train: trained, held: heldOut, notes };
}

/** The folder that holds the class folders, or train and val. */
function rootOf(located: readonly Located[]): readonly string[] {
  const [first] = located;
  if (!first) throw new DataError('there are no pictures', ADVICE);
  let length = first.folders.length;
  for (const { folders } of located) {
    length = Math.min(length, folders.length);
    const odd = first.folders.findIndex((name, at) => name !== folders[at]);
    if (odd !== -1) length = Math.min(length, odd);
  }
  const common = first.folders.slice(0, length);
  // All in one folder: that is the only class.
  if (!located.every(({ folders }) => folders.length === length)) return common;
  if (length > 0) return common.slice(0, -1);
  throw new DataError(
    `no folders say the classes of ${located.length} pictures: ${listed(located.map(({ member }) => member.path))}`,
    ADVICE,
  );
}

function classFolder(located: readonly Located[], root: readonly string[]): ClassFolder {
  const inside = located.filter(({ folders }) => folders.length > root.length);
  const folder = root.join('/');
  if (inside.length === 0) {
    throw new DataError(`the folder ${folder} holds no folders of classes`, ADVICE);
  }
  const sorted = inside
    .map((it) => ({ ...it, name: it.folders[root.length]!, path: it.folders.join('/') }))
    .sort(
      (a, b) =>
        byCodePoints(a.name, b.name) ||
        byCodePoints(a.path, b.path) ||
        byCodePoints(a.member.path, b.member.path),
    );
  const classes = [...new Set(sorted.map(({ name }) => name))];
  const labels = new Map(classes.map((name, label) => [name, label]));
  return {
    folder,
    classes,
    pictures: sorted.map(({ member }) => member),
    labels: Int32Array.from(sorted, ({ name }) => labels.get(name)!),
  };
}

/** Held-out pictures with the labels that training has for their classes. */
function relabelled(held: ClassFolder, train: ClassFolder): ClassFolder {
  const labels = held.classes.map((name) => train.classes.indexOf(name));
  const strange = held.classes.filter((_, at) => labels[at] === -1);
  if (strange.length > 0) {
    throw new DataError(
      `${held.folder} has folders that ${train.folder} lacks: ${listed(strange)}`,
      'Name the class folders alike in both.',
    );
  }
  return {
    ...held,
    classes: train.classes,
    labels: held.labels.map((label) => labels[label]!),
  };
}

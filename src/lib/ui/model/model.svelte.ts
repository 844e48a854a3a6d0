import type {
  BuiltModel,
  Candidate,
  Finding,
  Fit,
  ModelEdits,
  ProposedArgument,
  RecognisedModel,
  Result,
} from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import type { Remark } from './editor.ts';
import { isSame } from '../train/options.ts';
import { words as common } from '../words.ts';
import { words } from './words.ts';

export interface SourceFile {
  name: string;
  text: string;
}

/** The model's source, what it offers, and the model built from it. */
export class ModelState {
  files = $state<SourceFile[]>([]);
  /** Index of the file that is shown. */
  shown = $state(0);
  /** The source is the lab's own, of the recognised model, as it came. */
  isKnown = $state(false);
  /** The text differs from what the worker has read. */
  edited = $state(false);
  candidates = $state.raw<Candidate[]>([]);
  /** The chosen one; several files may have a class of one name. */
  candidate = $state.raw<Candidate | undefined>();
  /** How much of the state_dict candidates have, the best first. */
  fits = $state.raw<Fit[]>([]);
  /** What the editor brings into view: where something is wrong, or what was chosen. */
  place = $state.raw<{ line: number } | null>(null);
  arguments = $state<Record<string, string>>({});
  /** Where arguments that were filled in come from. */
  proposed = $state.raw<Record<string, ProposedArgument>>({});
  /** The known model that the checkpoint's keys are those of; undefined before anybody looked. */
  recognised = $state.raw<RecognisedModel | null | undefined>(undefined);
  stateDict = $state(0);
  built = $state.raw<BuiltModel | null>(null);
  /** What is built came out of the file, not of a source. */
  isCarried = $state(false);
  /** Changes that the model is built with; left out where it is as its source has it. */
  edits = $state.raw<ModelEdits | undefined>();
  /** What the model of a kept run was built with, whose state the open checkpoint is. */
  keptEdits: ModelEdits | null = null;
  /** Of the last reading or building, good or bad. */
  findings = $state.raw<Finding[]>([]);
  failed = $state<'' | 'source' | 'build'>('');
  busy = $state(false);
  /** Kept to read it again after a crash of the worker. */
  #accepted: SourceFile[] = [];
  readonly #desk: Desk;

  /** Candidates, those first that have most of the state_dict. */
  readonly ranked = $derived.by(() => {
    const share = (candidate: Candidate) => {
      const fit = this.fitOf(candidate);
      return fit ? fit.matched / fit.keys : 0;
    };
    return this.candidates.toSorted((a, b) => share(b) - share(a));
  });
  /** What is said of lines of the file that is shown. */
  readonly remarks = $derived(
    this.findings.flatMap(({ severity, message, where }): Remark[] => {
      const at = sourceLine(where);
      const isHere = at && (at.file === null || at.file === this.files[this.shown]?.name);
      return isHere ? [{ line: at.line, severity, message }] : [];
    }),
  );
  readonly missing = $derived(
    (this.candidate?.arguments ?? []).filter(
      ({ name, default: value }) => value === undefined && !this.arguments[name]?.trim(),
    ),
  );

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** What reading the source remarked; building adds to it. */
  #remarks: Finding[] = [];

  /**
   * A different checkpoint was opened: the source stays, the model is to be built again. A source of
   * the lab's own goes, since its arguments were those of the checkpoint before.
   */
  checkpointChanged(): void {
    if (this.isKnown) this.#forgetSource();
    this.isCarried = false;
    this.built = null;
    this.edits = undefined;
    this.keptEdits = null;
    this.chooseStateDict(0);
    if (this.failed === 'build') this.#clearFindings();
  }

  /** Other weights: what was proposed by the ones before goes, what was typed stays. */
  chooseStateDict(stateDict: number): void {
    this.stateDict = stateDict;
    this.recognised = undefined;
    this.#forgetProposals();
    this.fits = [];
    this.#proposing = this.propose();
    if (this.candidates.length > 1) void this.#compare();
  }

  #forgetProposals(): void {
    const typed = Object.entries(this.arguments).filter(
      ([name, text]) => text.trim() !== this.proposed[name]?.text,
    );
    this.arguments = Object.fromEntries(typed);
    this.proposed = {};
  }

  #forgetSource(): void {
    this.files = this.#accepted = [];
    this.candidates = [];
    this.candidate = undefined;
    this.place = null;
    this.arguments = {};
    this.isKnown = this.edited = false;
    this.#remarks = [];
    this.#clearFindings();
  }

  setText(text: string): void {
    const file = this.files[this.shown];
    if (!file) this.files = [{ name: 'model.py', text }];
    else file.text = text;
    this.edited = true;
    this.isKnown = false;
  }

  /** Shows other files and reads them. */
  async setFiles(
    files: readonly SourceFile[],
    candidate?: string,
    isKnown = false,
    file?: string,
  ): Promise<boolean> {
    this.isKnown = isKnown;
    this.files = files.map((file) => ({ ...file }));
    this.shown = 0;
    if (!(await this.read(candidate, true, file))) return false;
    if (this.candidate) this.show(this.candidate.file, this.candidate.line);
    return true;
  }

  /** Shows a line of a file. */
  show(file: string | null, line: number): void {
    const index = this.files.findIndex(({ name }) => name === file);
    if (index >= 0) this.shown = index;
    this.place = { line };
  }

  /** Shows the line that a finding names, if it names one. */
  showPlace(where: string | undefined): void {
    const at = sourceLine(where);
    if (at) this.show(at.file, at.line);
  }

  fitOf({ name, file }: Candidate): Fit | undefined {
    return this.fits.find((fit) => fit.candidate === name && fit.file === file);
  }

  /**
   * Has the worker read the source as it stands; nothing of it runs. What was chosen stays chosen,
   * unless the files are new and another class has exactly the weights' keys.
   */
  async read(candidate?: string, isNew = false, file?: string): Promise<boolean> {
    this.busy = true;
    const isRead = await this.#read(candidate, isNew, file).finally(() => (this.busy = false));
    await this.#proposing;
    return isRead;
  }

  async #read(
    candidate: string | undefined,
    isNew: boolean,
    file: string | undefined,
  ): Promise<boolean> {
    const files = $state.snapshot(this.files);
    const result = await this.#desk.tasks.run(common.source.reading, common.source.failed, (task) =>
      this.#desk.client.call('source', { files }, { signal: task.signal }),
    );
    if (!result) return false;
    this.edited = false;
    if (!result.ok) {
      this.#fail('source', result.findings);
      return false;
    }
    this.#accepted = files;
    this.#clearFindings();
    this.findings = this.#remarks = result.warnings;
    this.candidates = result.candidates;
    this.built = null;
    this.fits = [];
    const named = result.candidates.find(
      (it) => it.name === candidate && (file === undefined || it.file === file),
    );
    const same = sameAs(this.candidate, result.candidates);
    if (!named && (isNew || !same) && result.candidates.length > 1) await this.#compare();
    // A person who was quicker has chosen.
    if (this.candidate && this.candidates.includes(this.candidate)) return true;
    const exact = this.#exact;
    const kept = isNew ? (exact ?? same) : (same ?? exact);
    this.choose(named ?? kept ?? likeliest(result.candidates));
    return true;
  }

  choose(candidate: Candidate | undefined): void {
    const { name, file } = this.candidate ?? {};
    if (candidate?.name !== name || candidate?.file !== file) {
      this.arguments = {};
      this.edits = undefined;
    }
    this.candidate = candidate;
    this.#proposing = this.propose();
  }

  #proposing: Promise<void> = Promise.resolve();

  /** The candidate with exactly the state_dict's keys and shapes. */
  get #exact(): Candidate | undefined {
    return this.candidates.find((candidate) => {
      const fit = this.fitOf(candidate);
      return fit && fit.matched === fit.keys;
    });
  }

  /** Compares all candidates with the state_dict; nothing where none is open. */
  async #compare(): Promise<void> {
    const { candidates, stateDict } = this;
    const result = await this.#desk.client.call('fits', { stateDict }).catch(() => null);
    if (result?.ok && candidates === this.candidates && stateDict === this.stateDict) {
      this.fits = result.fits;
    }
  }

  /** Whether nothing is left to choose: one candidate, or one that has all keys. */
  get isClear(): boolean {
    return this.candidates.length === 1 || this.#exact !== undefined;
  }

  /** Fills in the arguments that the checkpoint suggests, where nothing is typed. */
  async propose(): Promise<void> {
    const { candidate, stateDict } = this;
    if (!candidate) return;
    if (this.isKnown && candidate.name === this.recognised?.candidate) {
      this.#fillIn(this.recognised.arguments);
      return;
    }
    if (candidate.arguments.length === 0) return;
    const { name, file } = candidate;
    const result = await this.#desk.client
      .call('proposeArguments', { candidate: name, file, stateDict })
      .catch(() => null); // a worker that ended proposes nothing
    if (!result?.ok || candidate !== this.candidate || stateDict !== this.stateDict) return;
    this.#fillIn(result.arguments);
  }

  #fillIn(proposed: Record<string, ProposedArgument>): void {
    for (const [name, { text }] of Object.entries(proposed)) {
      const typed = this.arguments[name]?.trim();
      if (typed && typed !== this.proposed[name]?.text) continue;
      // What a person is about to type must not end up behind it.
      if (name === this.#typing) this.#late = text;
      else this.arguments[name] = text;
    }
    this.proposed = proposed;
  }

  /** The argument whose field has the focus, and what was proposed for it since. */
  #typing: string | null = null;
  #late: string | null = null;

  /** A field of an argument has the focus, or none. A field that was left empty is filled in then. */
  typeInto(name: string | null): void {
    const [left, late] = [this.#typing, this.#late];
    this.#typing = name;
    this.#late = null;
    if (left === null || late === null || late !== this.proposed[left]?.text) return;
    if (!this.arguments[left]?.trim()) this.arguments[left] = late;
  }

  /** Looks whether the checkpoint's keys are those of a known model. */
  async recognise(): Promise<void> {
    const { stateDict } = this;
    this.recognised = null;
    const result = await this.#desk.client.call('recognise', { stateDict }).catch(() => null);
    if (result?.ok && stateDict === this.stateDict) this.recognised = result.recognised;
  }

  /** Takes the known model's source, with its arguments. */
  async useRecognised(): Promise<boolean> {
    const { recognised } = this;
    if (!recognised) return false;
    this.arguments = {};
    return this.setFiles(recognised.files, recognised.candidate, true);
  }

  /** Builds the model, changed by `edits`; they stay where that fails. */
  async build(edits = this.edits): Promise<boolean> {
    if (this.edited && !(await this.read())) return false;
    // What is about to be filled in is built with.
    this.busy = true;
    await this.#proposing.finally(() => (this.busy = false));
    const { candidate } = this;
    if (!candidate || this.missing.length > 0) return false;
    const args = {
      candidate: candidate.name,
      file: candidate.file,
      arguments: $state.snapshot(this.arguments),
      stateDict: this.stateDict,
      edits,
      kept: this.#isKept(edits),
    };
    return this.#build(candidate.name, (signal) =>
      this.#desk.client.call('build', args, { signal }),
    );
  }

  /** Builds the model that the file itself brings. */
  async buildCarried(edits = this.edits): Promise<boolean> {
    return this.#build(null, (signal) =>
      this.#desk.client.call('buildCarried', { edits, kept: this.#isKept(edits) }, { signal }),
    );
  }

  /** Whether the checkpoint has the keys of the model with these edits. */
  #isKept(edits: ModelEdits | undefined): boolean {
    return this.keptEdits !== null && isSame(edits, this.keptEdits);
  }

  /** Builds the model of that name, or, without one, that of the file. */
  async #build(
    name: string | null,
    build: (signal: AbortSignal) => Promise<Result<{ model: BuiltModel }>>,
  ): Promise<boolean> {
    const what = name ?? words.build.ofFile;
    this.busy = true;
    const result = await this.#desk.tasks
      .run(words.build.building(what), words.build.failed(what), ({ signal }) => build(signal))
      .finally(() => (this.busy = false));
    if (!result) return false;
    if (!result.ok) {
      this.#fail('build', result.findings);
      return false;
    }
    const { model } = result;
    this.#clearFindings();
    this.findings = name === null ? model.warnings : [...this.#remarks, ...model.warnings];
    this.built = model;
    this.edits = model.edits;
    this.isCarried = name === null;
    return true;
  }

  /** After a crash of the worker. */
  async restore(): Promise<void> {
    if (this.isCarried && this.built && this.#accepted.length === 0) {
      await this.buildCarried();
      return;
    }
    if (this.#accepted.length === 0) return;
    const { built } = this;
    const edited = $state.snapshot(this.files);
    this.files = this.#accepted.map((file) => ({ ...file }));
    const again = await this.read();
    if (again && built) await (this.isCarried ? this.buildCarried() : this.build());
    this.files = edited;
  }

  #fail(step: 'source' | 'build', findings: Finding[]): void {
    this.failed = step;
    this.findings = findings;
    this.showPlace(findings.find(({ severity }) => severity === 'error')?.where);
  }

  #clearFindings(): void {
    this.failed = '';
    this.findings = [];
  }
}

/** The candidate of that name and file, or of that name, as files may have moved. */
function sameAs(
  before: Candidate | undefined,
  candidates: readonly Candidate[],
): Candidate | undefined {
  const named = candidates.filter(({ name }) => name === before?.name);
  return named.find(({ file }) => file === before?.file) ?? named[0];
}

/** Instances come ready made; else the last class that needs nothing, as files define parts first. */
function likeliest(candidates: readonly Candidate[]): Candidate | undefined {
  const ready = (candidate: Candidate) =>
    candidate.arguments.every(({ default: value }) => value !== undefined);
  return (
    candidates.find(({ kind }) => kind === 'instance') ??
    candidates.findLast((candidate) => candidate.kind === 'class' && ready(candidate)) ??
    candidates.findLast(({ kind }) => kind === 'class') ??
    candidates[0]
  );
}

/** The file and line that a finding names: `model.py line 12`, `model.py:12`, `line 12`. */
export function sourceLine(
  where: string | undefined,
): { file: string | null; line: number } | null {
  const match = /^(?:(?<file>.+?\.py)[\s:,]+)?(?:line\s*)?(?<line>\d+)\b/.exec(where?.trim() ?? '');
  if (!match?.groups?.line) return null;
  return { file: match.groups.file ?? null, line: Number(match.groups.line) };
}

import { createContext } from 'svelte';
import { LabClient } from '#lib/worker/client.ts';
import type { DataWish, Dropped, Finding, FoundRun, ModelEdits } from '#lib/worker/protocol.ts';
import { Arrivals } from './arrivals.ts';
import { BesideState } from './beside.svelte.ts';
import { CheckState } from './run/checking.svelte.ts';
import { CheckpointState } from './checkpoint/checkpoint.svelte.ts';
import { Commands } from './commands.svelte.ts';
import { CompareState } from './compare/compare.svelte.ts';
import { SeriesState } from './compare/series.svelte.ts';
import { DataState, type DataFiles } from './train/data.svelte.ts';
import type { Desk } from './desk.ts';
import { droppedOf, nameOf, pathsOf, type Pile } from './dropped.ts';
import { EditingState } from './edit/editing.svelte.ts';
import { GraphState } from './run/graph.svelte.ts';
import { LibraryState } from './library/library.svelte.ts';
import { RecentState } from './library/recent.svelte.ts';
import { ModelState, type SourceFile } from './model/model.svelte.ts';
import { severalCheckpoints, sortPile, type Purpose, type Several } from './piles.ts';
import { Notices } from './notices.svelte.ts';
import { Problems, type Action } from './problems.svelte.ts';
import { Recovery } from './recovery.ts';
import { openRun } from './resuming.ts';
import { RunsState } from './train/runs.svelte.ts';
import { RunState } from './run/running.svelte.ts';
import { fetchSampleFile, type Sample } from './samples.ts';
import { SafetyState } from './safety/safety.svelte.ts';
import { SavingState } from './save/saving.svelte.ts';
import { Tasks } from './tasks.svelte.ts';
import { TextState, isTokenizer } from './run/texts.svelte.ts';
import { ModelForm } from './train/model_form.svelte.ts';
import { RunForm } from './train/run_form.svelte.ts';
import { TrainingState } from './train/training.svelte.ts';
import { witness } from './witness.ts';
import { words } from './words.ts';

export type Page = keyof typeof words.pages;

/** A question before something is lost. */
export interface Question {
  title: string;
  body: string;
  action: string;
  answer: (yes: boolean) => void;
}

/** What is asked before training ends, or what it has learned is discarded. */
interface LeaveWords {
  title: (name: string) => string;
  endsTraining: string;
  losesTrained: string;
  stop: string;
  discard: string;
}

/** Everything that the page knows, around one client. Its parts know nothing of each other. */
export class Lab implements Desk {
  readonly client = new LabClient();
  readonly problems = new Problems();
  readonly notices = new Notices();
  readonly tasks = new Tasks(this.problems);
  readonly commands = new Commands();
  readonly checkpoint = new CheckpointState(this);
  readonly beside = new BesideState(this);
  readonly compare = new CompareState(this, this.checkpoint, this.beside);
  readonly series = new SeriesState(this, this.beside);
  readonly model = new ModelState(this);
  readonly data = new DataState(this);
  readonly running = new RunState(this, this.model, this.data);
  readonly texts = new TextState(this);
  readonly graph = new GraphState(this, this.running, this.texts);
  readonly checking = new CheckState(this);
  readonly training = new TrainingState(this);
  readonly form = new RunForm(this, this.data);
  readonly modelForm = new ModelForm(this.model);
  readonly runs = new RunsState(this);
  readonly saving = new SavingState(this);
  readonly editing = new EditingState(this, this.checkpoint, this.beside);
  readonly safety = new SafetyState(this);
  readonly library = new LibraryState(this);
  readonly recent = new RecentState(this);
  /** The ways that files come in. */
  readonly arrivals = new Arrivals(this);
  question = $state.raw<Question | null>(null);
  /** Of what was dropped or picked, to open it in a later visit. */
  readonly #handles = new WeakMap<Dropped, Pile['handles']>();
  /** Where a drop or a sample leads, unless a page that serves as well is shown already. */
  go: (page: Page, unless?: readonly Page[]) => void = () => {};

  constructor() {
    this.checkpoint.remedies = (dropped, findings) => this.#remedies(dropped, findings);
    this.problems.about = () => {
      const { opened } = this.checkpoint;
      return opened ? words.problems.open(opened.name, opened.format) : '';
    };
    const recovery = new Recovery(this);
    this.client.onCrash = (crash) => void recovery.after(crash);
    this.data.onChanged = () => this.#dataChanged();
    this.saving.onSaved = ({ which }) => {
      if (which !== 'opened') this.training.unsaved = false;
    };
  }

  /** Starts the worker, and watches for what only the next page can tell. Gives a way to stop. */
  start(): () => void {
    this.client.start();
    void this.recent.refresh();
    void this.arrivals.receive();
    return witness(this.client, (files) =>
      this.problems.add(words.opening.pageCrash, [
        {
          code: 'page.crash',
          severity: 'error',
          message: words.opening.endedAt(files),
          advice: words.opening.endedAdvice,
        },
      ]),
    );
  }

  /**
   * Sources, data and the tokenizer of an open checkpoint go where their kind belongs; everything
   * else is one checkpoint.
   */
  async openPile(pile: Pile, how: Purpose = 'open'): Promise<void> {
    const isPair = how === 'open' && pile.folders.length === 0 && pile.files.length === 2;
    if (how === 'compare' || (isPair && severalCheckpoints(pile))) return this.comparePile(pile);
    if (how === 'checkpoint' || how === 'beside') {
      const whole = droppedOf(pile);
      if (whole) await (how === 'beside' ? this.beside.open(whole) : this.openCheckpoint(whole));
      return;
    }
    const takesText = this.running.modes.some((mode) => mode === 'write' || mode === 'compare');
    if (takesText && how !== 'data' && pile.folders.length === 0 && isTokenizer(pile.files)) {
      await this.texts.openTokenizer([...pile.files]);
      if (this.data.opened?.kind === 'text') await this.data.change({});
      return this.go('/run');
    }
    const { sources, zips, data, checkpoint } = await sortPile(pile, how);
    const zipped = await this.#sourceFiles({ files: zips, folders: [] });
    const loose = await this.#sourceFiles(sources);
    if (!zipped || !loose) return;
    const found = [...loose, ...zipped];
    // A zip without Python files may be a checkpoint that was renamed.
    const isSource = (file: File) => zips.includes(file) && zipped.length > 0;
    const dropped = droppedOf({
      files: checkpoint.files.filter((file) => !isSource(file)),
      folders: checkpoint.folders,
    });
    if (dropped) this.#handles.set(dropped, pile.handles);
    const opened = dropped && (await this.openCheckpoint(dropped));
    if (opened) this.#noteRecent(dropped);
    const paths = pathsOf(data);
    if (paths.length > 0 && (await this.openData(paths)) && !dropped && found.length === 0) {
      this.go(how === 'data' ? '/train' : '/run', ['/run', '/train']);
    }
    if (found.length > 0) {
      await this.#useSource(found);
      if (!dropped) this.go('/model');
    }
    if (opened) this.go('/checkpoint');
  }

  /**
   * What is dropped to be compared: the other one of the open checkpoint; two are both; more, or
   * those of a folder, are a series.
   */
  async comparePile(pile: Pile): Promise<void> {
    const several = severalCheckpoints(pile);
    if (several) return this.#compareSeveral(several, pile.folders.length === 1);
    const whole = droppedOf(pile);
    this.go('/compare');
    if (whole)
      await (this.checkpoint.opened ? this.compare.open(whole) : this.openCheckpoint(whole));
  }

  async #compareSeveral(several: readonly Several[], isRun = false): Promise<void> {
    const [first, second, ...others] = several;
    this.go('/compare');
    if (isRun || others.length > 0) await this.series.open(several);
    else if (await this.openCheckpoint(first!.dropped)) await this.compare.open(second!.dropped);
  }

  async openCheckpoint(dropped: Dropped): Promise<boolean> {
    if (!(await this.#mayLeave(words.opening.question, nameOf(dropped)))) return false;
    const takeBack = this.#wayBack();
    if (!(await this.checkpoint.open(dropped))) return false;
    takeBack?.();
    await this.#checkpointChanged(dropped);
    return true;
  }

  /** Closes the checkpoint and what was made of it; a notice offers to bring it back. */
  async closeCheckpoint(): Promise<void> {
    const { opened } = this.checkpoint;
    if (!opened || !(await this.#mayLeave(words.closing.question, opened.name))) return;
    const takeBack = this.#wayBack();
    if (!(await this.checkpoint.close())) return;
    takeBack?.();
    await this.#checkpointChanged(null);
    this.go('/');
  }

  /** Another one is open, or none: what was said and made of the one before goes. */
  async #checkpointChanged(dropped: Dropped | null): Promise<void> {
    this.model.checkpointChanged();
    this.modelForm.reset();
    this.training.reset();
    this.form.reset();
    this.saving.reset();
    this.editing.output.checkpointChanged(dropped ? nameOf(dropped) : '');
    this.safety.forget();
    this.compare.checkpointChanged();
    this.running.result = null;
    this.texts.checkpointChanged(dropped);
    this.graph.modelChanged();
    this.checking.modelChanged();
    await this.data.findNames();
  }

  /** Opens what the edits were written to, as the checkpoint that goes on; their list begins anew. */
  async openEdited(): Promise<void> {
    const pile = await this.editing.output.result();
    const dropped = pile && droppedOf(pile);
    if (!dropped || !(await this.openCheckpoint(dropped))) return;
    this.editing.list.clear();
    void this.recent.note(this.checkpoint.opened!, pile.handles);
    this.go('/checkpoint');
  }

  /** Lists what was opened among the recent ones. */
  #noteRecent(dropped: Dropped): void {
    void this.recent.note(this.checkpoint.opened!, this.#handles.get(dropped));
  }

  /** Remembers what is open; gives a way to offer it again once another has taken its place. */
  #wayBack(): (() => void) | null {
    const { dropped } = this.checkpoint;
    const { built, isCarried, edits } = this.model;
    if (!dropped) return null;
    const undo = async () => {
      if (!(await this.openCheckpoint(dropped)) || !built) return;
      if (isCarried || this.model.candidate) await this.build(isCarried ? 'file' : 'source', edits);
    };
    return () => this.notices.add(words.notices.closed(nameOf(dropped)), { undo });
  }

  /** What the page offers beside the findings of a file that does not open. */
  #remedies(dropped: Dropped, findings: readonly Finding[]): Action[] {
    const choices = findings.flatMap((finding) => finding.choices ?? []);
    const choose = choices.map((label, choice) => ({
      label,
      run: async () => {
        if (!(await this.openCheckpoint({ ...dropped, choice }))) return;
        this.#noteRecent(dropped);
        this.go('/checkpoint');
      },
    }));
    if (choose.length > 0) return [...choose, ...this.#comparing(dropped)];
    const look = () => {
      this.go('/safety');
      void this.safety.scan(dropped);
    };
    return [{ label: words.opening.look, run: look }];
  }

  /** Several checkpoints that came at once may be meant to be compared. */
  #comparing(dropped: Dropped): Action[] {
    if ('file' in dropped) return [];
    const several = severalCheckpoints({ files: [], folders: [dropped] });
    if (!several) return [];
    return [{ label: words.opening.compareThem, run: () => this.#compareSeveral(several) }];
  }

  async openData(
    files: DataFiles,
    { wish = this.#wishOfModel(), ...options }: Parameters<DataState['open']>[1] = {},
  ): Promise<boolean> {
    return this.data.open(files, { wish, ...options });
  }

  /** Pictures are prepared as the model takes them. */
  #wishOfModel(): DataWish {
    const [likeliest] = this.running.task?.recipes ?? [];
    return likeliest ? { images: { picture: likeliest.recipe } } : {};
  }

  /** Other data, or the same in another way. */
  async #dataChanged(): Promise<void> {
    this.running.dataChanged();
    await this.#proposeNames();
    await this.#proposeRun();
  }

  /**
   * Reads the Python files of a pile and, where nothing is left to choose, builds the model. False
   * where there are none or they cannot be read.
   */
  async openSource(pile: Pile): Promise<boolean> {
    const files = await this.#sourceFiles(pile);
    if (files?.length === 0) {
      this.problems.add(words.source.noneTitle, [
        {
          code: 'source.none',
          severity: 'error',
          message: words.source.none(
            nameOf(droppedOf(pile) ?? { name: words.source.it, files: [] }),
          ),
          advice: words.source.noneAdvice,
        },
      ]);
    }
    return files !== null && files.length > 0 && this.#useSource(files);
  }

  async #useSource(files: SourceFile[]): Promise<boolean> {
    if (!(await this.model.setFiles(files))) return false;
    if (this.checkpoint.opened && this.model.isClear) await this.build();
    return true;
  }

  /** The Python files of a pile, also in zips; null where they cannot be read, which is said. */
  async #sourceFiles(pile: Pile): Promise<SourceFile[] | null> {
    const paths = pathsOf(pile);
    if (paths.length === 0) return [];
    const failure = words.source.failed;
    const result = await this.tasks.run(words.source.reading, failure, ({ signal }) =>
      this.client.call('sourceFiles', { files: paths }, { signal }),
    );
    return result && this.problems.check(failure, result) ? result.files : null;
  }

  /** Builds the model from the open source, or as the file itself brings it. */
  async build(
    from: 'source' | 'file' = 'source',
    edits: ModelEdits | undefined = this.#editsFor(from),
  ): Promise<boolean> {
    const { training, model } = this;
    if (training.running) {
      this.problems.add(words.building.trains, [
        {
          code: 'build.training',
          severity: 'info',
          message: words.building.notAnew,
          advice: words.building.trainsAdvice,
        },
      ]);
      return false;
    }
    const yes =
      !training.unsaved ||
      (await this.ask({
        title: words.building.title,
        body: words.building.body,
        action: words.building.action,
      }));
    if (!yes) return false;
    if (!(await (from === 'file' ? model.buildCarried(edits) : model.build(edits)))) return false;
    training.reset();
    this.saving.reset();
    await this.modelBuilt();
    return true;
  }

  /** Changes are of one model: the file's own or the source's. */
  #editsFor(from: 'source' | 'file'): ModelEdits | undefined {
    return this.model.isCarried === (from === 'file') ? this.model.edits : undefined;
  }

  async openSample(sample: Sample): Promise<boolean> {
    const { files, candidate, classes } = sample;
    const failure = words.sample.failed(sample.title);
    const fetched = await this.tasks.run(
      words.sample.loading(sample.title),
      failure,
      ({ signal }) =>
        Promise.all([
          fetchSampleFile(files.checkpoint, signal),
          fetchSampleFile(files.source, signal),
          files.data === undefined ? null : fetchSampleFile(files.data, signal),
        ]),
    );
    if (!fetched) return false;
    const [checkpoint, source, data] = fetched;
    if (!(await this.openCheckpoint({ file: checkpoint }))) return false;
    this.go('/checkpoint');
    if (data) await this.openData([{ path: data.name, file: data }], { classes });
    if (sample.input.kind === 'text') this.texts.prompt = sample.input.prompt;
    const texts = [{ name: source.name, text: await source.text() }];
    if (await this.model.setFiles(texts, candidate)) await this.build();
    return true;
  }

  ask(question: Omit<Question, 'answer'>): Promise<boolean> {
    return new Promise((resolve) => {
      this.question = {
        ...question,
        answer: (yes) => {
          this.question = null;
          resolve(yes);
        },
      };
    });
  }

  /** A model took the place of the one before: all that depends on it begins anew. */
  async modelBuilt(): Promise<void> {
    this.modelForm.reset();
    this.running.modelChanged();
    this.texts.modelChanged();
    this.graph.modelChanged();
    this.checking.modelChanged();
    void this.checkpoint.table.modelChanged();
    const { task } = this.running;
    if (task?.vocabulary != null) await this.texts.openTokenizer();
    // How pictures are prepared and text is cut into tokens, the model says.
    const { opened, wish } = this.data;
    const isStale = opened?.kind === 'text' || (opened?.kind === 'images' && !wish.images);
    if (isStale && (await this.data.change(this.#wishOfModel()))) return;
    await this.#proposeNames();
    await this.#proposeRun();
  }

  async #proposeNames(): Promise<void> {
    const { task } = this.running;
    const [output] = task?.kind === 'image' ? task.outputs : [];
    await this.data.proposeNames(output?.length === 2 ? output[1]! : 0);
  }

  async #proposeRun(): Promise<void> {
    if (this.model.built?.ready && this.data.opened) await this.form.propose();
  }

  async #mayLeave(said: LeaveWords, name: string): Promise<boolean> {
    const { training } = this;
    if (!training.running && !training.unsaved) return true;
    const yes = await this.ask({
      title: said.title(name),
      body: training.running ? said.endsTraining : said.losesTrained,
      action: training.running ? said.stop : said.discard,
    });
    if (yes && training.running) await training.stop();
    return yes;
  }

  /** Opens what a kept run needs to go on. */
  async resumeRun(run: FoundRun): Promise<boolean> {
    return openRun(this, run);
  }

  /** Starts the run that the form describes, or goes on with the one before. */
  async train(from: 'checkpoint' | 'last'): Promise<void> {
    const { settings } = this.form;
    if (!settings) return;
    await this.training.start(from, settings);
    await this.form.propose(); // the checkpoint's state has become the run's
  }
}

export const [useLab, provideLab] = createContext<Lab>();

import type { Finding, RateCurve, RunProposal, RunSettings } from '#lib/worker/protocol.ts';
import type { DataState } from './data.svelte.ts';
import type { Desk } from '../desk.ts';
import { changed, merged, runLength } from './proposals.ts';

/** The curve waits for this long after the last key. */
const PAUSE_MILLISECONDS = 120;

/** The settings of the next run: proposed, changed by the person, and their learning rate. */
export class RunForm {
  /** Null before there is a model and data to propose them for. */
  settings = $state.raw<RunSettings | null>(null);
  proposal = $state.raw<RunProposal | null>(null);
  /** Why nothing could be proposed. */
  findings = $state.raw<Finding[]>([]);
  rates = $state.raw<RateCurve | null>(null);
  /** Why the settings have no rates. */
  rateFindings = $state.raw<Finding[]>([]);
  readonly #desk: Desk;
  readonly #data: DataState;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  readonly length = $derived.by(() => this.settings && runLength(this.settings, this.#data.opened));

  constructor(desk: Desk, data: DataState) {
    this.#desk = desk;
    this.#data = data;
  }

  /** Has settings proposed for the model and the data; what the person changed stays. */
  async propose(): Promise<void> {
    const asked = ++this.#asked;
    const result = await this.#desk.client.call('proposeRun', {}).catch(() => null);
    if (!result || asked !== this.#asked) return;
    this.findings = result.ok ? [] : result.findings;
    if (!result.ok) return;
    const before = this.proposal?.settings;
    const { settings } = this;
    this.settings =
      settings && before ? merged(settings, before, result.proposal) : result.proposal.settings;
    this.proposal = result.proposal;
    this.#rate();
  }

  change(part: Partial<RunSettings>): void {
    if (!this.settings) return;
    this.settings = changed(this.settings, part, this.#data.opened);
    this.#rate();
  }

  /** Settings of a run that is gone on with. */
  take(settings: RunSettings): void {
    this.settings = settings;
    this.#rate();
  }

  /** Another checkpoint: nothing of it holds for that. */
  reset(): void {
    this.#asked++;
    this.settings = null;
    this.proposal = null;
    this.rates = null;
    this.findings = this.rateFindings = [];
  }

  #rate(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#askRates(), PAUSE_MILLISECONDS);
  }

  async #askRates(): Promise<void> {
    const { settings } = this;
    if (!settings) return;
    const result = await this.#desk.client.call('rates', { settings }).catch(() => null);
    if (!result || settings !== this.settings) return;
    if (result.ok) this.rates = result.rates;
    this.rateFindings = result.ok ? [] : result.findings;
  }
}

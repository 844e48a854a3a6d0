import type { BuiltModel, ModelEdits } from '#lib/worker/protocol.ts';
import type { ModelState } from '../model/model.svelte.ts';
import {
  baseWeights,
  bodyOnly,
  builtCount,
  editedCount,
  freezeMode,
  targetNames,
  type FreezeMode,
} from './freezing.ts';
import { isSame } from './options.ts';

/** PEFT's defaults are 8 and 8; 16 is what most recipes take for alpha. */
const NEW_LORA = { rank: 8, alpha: 16, dropout: 0 };

/** Changes of the model that the form shows, until they are applied by building it anew. */
export class ModelForm {
  /** Null where nothing differs from the model that is built. */
  #draft = $state.raw<ModelEdits | null>(null);
  readonly #model: ModelState;

  readonly edits = $derived.by(() => this.#draft ?? this.#model.built?.edits ?? null);
  readonly isChanged = $derived.by(() => {
    return this.#draft !== null && !isSame(this.#draft, this.#model.built?.edits);
  });
  /** The layer that gives the output, as it is built. */
  readonly head = $derived.by(() => this.#model.built?.head ?? null);
  readonly isFresh = $derived(this.edits?.fresh.includes('*') ?? false);
  readonly freezeMode = $derived.by(
    () => this.edits && freezeMode(this.edits.freeze, this.head?.module ?? null),
  );
  /** `chosen` that says nothing yet. */
  choosesFreeze = $state(false);
  /** Of the model as it would be. */
  readonly count = $derived.by(() => {
    const { built } = this.#model;
    if (!built || !this.edits) return null;
    return this.isChanged ? editedCount(built, this.edits) : builtCount(built.weights);
  });
  readonly weights = $derived.by(() => baseWeights(this.#model.built?.weights ?? []));

  constructor(model: ModelState) {
    this.#model = model;
  }

  change(part: Partial<ModelEdits>): void {
    if (this.edits) this.#draft = { ...this.edits, ...part };
  }

  setFresh(isFresh: boolean): void {
    const others = this.edits?.fresh.filter((glob) => glob !== '*') ?? [];
    this.change({ fresh: isFresh ? ['*'] : others });
  }

  setFreeze(mode: FreezeMode): void {
    this.choosesFreeze = mode === 'chosen';
    if (mode === 'nothing') this.change({ freeze: [] });
    else if (mode === 'body' && this.head) this.change({ freeze: bodyOnly(this.head.module) });
  }

  /** A head with so many outputs; as it is, where it has them already in the file. */
  setOutputs(outputs: number | null): void {
    const { head } = this;
    if (!head) return;
    this.change({ head: outputs === null ? null : { module: head.module, outputs } });
  }

  /** LoRA on all linear layers but the head, and everything else frozen, as PEFT has it. */
  setLora(isOn: boolean): void {
    const { built } = this.#model;
    if (!isOn || !built) return this.change({ lora: null });
    const body = built.linears.filter((path) => path !== this.head?.module);
    const targets = targetNames(body.length > 0 ? body : built.linears);
    this.change({ lora: { ...NEW_LORA, targets } });
  }

  /** The form shows the model as it is built. */
  reset(built: BuiltModel | null = this.#model.built): void {
    this.#draft = null;
    const mode = built && freezeMode(built.edits.freeze, built.head?.module ?? null);
    this.choosesFreeze = mode === 'chosen';
  }
}

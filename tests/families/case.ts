import type { SourceCase } from '../sources/case.ts';

/** Who made a model: the Python that has it is found by this. */
export type Maker = 'torchvision' | 'transformers' | 'timm' | 'repository';

/** A model of a known family, as somebody else's code makes it. */
export interface FamilyCase extends SourceCase {
  readonly maker: Maker;
  /** The family that it is recognised as; null where it is to be refused. */
  readonly family: string | null;
  /**
   * What a person sets in the form, as Python text. Where it is given, the model's configuration is
   * not read, as if no config.json lay beside the weights.
   */
  readonly set?: Readonly<Record<string, string>>;
  /** Too large to be computed here: only keys and shapes are compared. */
  readonly shapes?: boolean;
}

/** One model of somebody's source: which files, how it is made, and what it is given. */
export interface SourceCase {
  readonly name: string;
  /** Folder of the source, below the folder that the script is given. */
  readonly folder: string;
  /** Which of its .py files are read, as the start of their path; all where absent. */
  readonly files?: readonly string[];
  /**
   * Python that imports from the source and defines `build()`, which returns the model. The lab
   * reads it as one file more, and PyTorch runs it. `stored(state)`, where it is defined, gives the
   * state_dict as a file has it.
   */
  readonly code: string;
  readonly inputs: readonly CaseInput[];
  /** A file of trained weights in the folder that WEIGHTROOM_CORPUS names; random ones where absent. */
  readonly weights?: string;
  /** What of the output counts: `out[0]`; all tensors in it where absent. */
  readonly output?: string;
}

/** Seeded noise, or integers below a bound. */
export interface CaseInput {
  readonly shape: readonly number[];
  readonly below?: number;
}

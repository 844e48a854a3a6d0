/** The guide's chapters in their order; the id is what a link to one ends in: `/guide/#is-it-safe`. */
export interface Chapter {
  readonly id: string;
  readonly title: string;
}

export const chapters = {
  look: { id: 'look-at-a-file', title: 'Look at a file' },
  safe: { id: 'is-it-safe', title: 'Is it safe?' },
  strip: { id: 'strip-a-prefix', title: 'Strip a prefix' },
  convert: { id: 'convert-to-safetensors', title: 'Convert to safetensors' },
  compare: { id: 'compare-two', title: 'Compare two' },
  run: { id: 'run-it', title: 'Run it' },
  train: { id: 'fine-tune-it', title: 'Fine-tune it' },
  back: { id: 'back-to-pytorch', title: 'Go back to PyTorch' },
  keys: { id: 'keyboard-shortcuts', title: 'Keyboard shortcuts' },
} as const satisfies Record<string, Chapter>;

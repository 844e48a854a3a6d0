/** What the Train page says around its form: progress, curves, examples, what can be done. */
import type { TrainProgress, TrainSummary } from '#lib/worker/protocol.ts';
import { formatCount, formatPercent, formatShape } from '../../format.ts';

export const words = {
  noModel: {
    title: 'No model is built yet',
    text: 'To train, the lab needs the model’s source, its weights and data.',
    action: 'Go to Model',
  },
  noCheckpoint: {
    title: 'Nothing to train yet',
    text: 'Open a checkpoint or a sample, build its model, and bring data: arrays, a table, pictures or text.',
    action: 'Open a checkpoint',
  },
  bring: {
    title: 'Bring data to train on.',
    body: 'Drop it here, or choose it on the left. It is read where it lies and stays on this device.',
    label: 'Bring data',
  },
  failed: 'What went wrong',
  unsaved: 'Best and last are kept in memory until they are saved.',
  save: 'Save them',

  controls: {
    form: 'Training settings',
    start: 'Start training',
    continue: 'Continue',
    continueTo: (epoch: number) => `Continue to epoch ${epoch}`,
    continueFrom: (epoch: number) => `Continue from epoch ${epoch}`,
    startOver: 'Start over',
    newRun: 'As a new run',
    pause: 'Pause',
    resume: 'Resume',
    stop: 'Stop',
    stopping: 'Stopping…',
    continueHint: 'Continue goes on from the last step; Start over goes back to the checkpoint.',
    keptHint: 'Goes on exactly where the run was when it was kept.',
    over: {
      title: 'Start over?',
      body: 'The trained model has not been saved. Starting over discards it.',
      action: 'Discard and start over',
    },
    /** Why it cannot start. */
    lack: {
      data: 'Bring data first.',
      weights: 'Weights are missing: let them start afresh, or look on Model.',
      changes: 'Apply the changes of the model first, or undo them.',
      fit: 'The data does not fit the model yet.',
      settings: 'One moment …',
    },
  },

  status: {
    label: 'Progress',
    states: {
      starting: 'Starting',
      running: 'Training',
      paused: 'Paused',
      validating: 'Validating',
      saving: 'Saving',
      recovering: 'Recovering',
    } satisfies Record<TrainProgress['state'], string>,
    ended: ({ stopped, stalled }: TrainSummary) =>
      stopped ? 'Stopped' : stalled ? 'Stopped early' : 'Done',
    failed: 'Could not train',
    notStarted: 'Not started',
    batches: 'Batches',
    recovering:
      'The graphics device was lost. It is made anew, and the run goes on from the state that was kept last.',
    epoch: 'Epoch',
    epochOf: ({ epoch, epochs }: TrainProgress) => `${epoch} of ${epochs}`,
    step: 'Step',
    trainLoss: 'Train loss',
    best: (metric: string) => `Best ${metric}`,
    validation: 'validation',
    bestEpoch: (epoch: number) => `epoch ${epoch}`,
    rate: 'Rate',
    examplesPerSecond: (rate: number) => `${formatCount(Math.round(rate))} examples/s`,
    timeLeft: 'Time left',
    time: 'Time',
    notKept: 'The run could not be kept.',
    inMemory: 'It goes on in memory.',
    kept: (files: readonly string[], folder: string | null) =>
      `Kept ${files.map((file) => `\`${file}\``).join(', ')} ${folder === null ? 'on the private disk' : `in ${folder}/`}, read back and compared.`,
    saveCopy: 'Save a copy',
  },

  curves: {
    loss: 'Loss',
    metric: 'Metric',
    rate: 'Learning rate',
    train: 'train',
    validation: 'validation',
    choose: 'Metric that is drawn',
  },

  epochs: {
    label: 'Epoch by epoch',
    epoch: 'Epoch',
    step: 'Step',
    best: 'best',
  },

  confusion: {
    title: 'Confusion matrix',
    label: (classes: number) => `Confusion matrix of ${classes} classes`,
    axes: 'Rows are targets, columns what was predicted.',
    taken: (target: string, predicted: string, count: number, share: number) =>
      `${target} taken for ${predicted}: ${formatCount(count)}, ${formatPercent(share)} of the row`,
    target: 'Target',
    predicted: 'Predicted',
    examples: 'Examples',
  },

  examples: {
    title: 'What the model sees',
    another: 'Another draw',
    list: 'Examples',
    picture: (label: string | null, shape: readonly number[]) =>
      `${label ?? 'Example'}, ${formatShape(shape)}`,
    range: (shape: readonly number[], lowest: string, highest: string) =>
      `${formatShape(shape)}, ${lowest} to ${highest}`,
    numbers: (label: string | null, numbers: string) => `${label ?? 'Example'}: ${numbers}`,
    then: 'then',
  },

  group: 'Train',
  commands: {
    start: { title: 'Start training', words: 'run fit fine-tune begin' },
    continue: { title: 'Continue training', words: 'resume go on' },
    over: { title: 'Start training over', words: 'again from the checkpoint restart' },
    newRun: { title: 'Train as a new run', words: 'forget kept' },
    pause: { title: 'Pause training', words: 'hold wait' },
    resume: { title: 'Resume training', words: 'go on unpause' },
    files: { title: 'Choose data…', words: 'files open npz csv mnist txt dataset' },
    folder: { title: 'Choose a folder of data…', words: 'pictures images classes dataset' },
    draw: { title: 'Draw other examples', words: 'batch preview augmentation' },
    apply: { title: 'Apply the changes to the model', words: 'head freeze lora build' },
    undo: { title: 'Undo the changes of the model', words: 'head freeze lora' },
    fitHead: { title: 'Fit the head to the data', words: 'outputs classes replace new' },
    fasterHead: { title: 'Train the head with ten times the rate', words: 'param_groups lr' },
    slowerBody: { title: 'Train the body with a tenth of the rate', words: 'param_groups lr' },
    addGroup: { title: 'Add a param_group', words: 'optimizer lr weight_decay' },
    addScheduler: { title: 'Add a scheduler', words: 'SequentialLR ChainedScheduler' },
    pickFolder: { title: 'Pick a folder for the run’s files…', words: 'keep save checkpoints' },
    privateDisk: { title: 'Keep the run on the private disk', words: 'folder opfs' },
    mnist: { title: 'Normalise as for MNIST', words: 'mean std pixels' },
    plain: { title: 'Scale pixels to 0 to 1', words: 'mean std' },
  },

  /** Opening data and reading it. */
  data: {
    opening: (name: string) => `Opening ${name}`,
    notOpened: (name: string) => `Could not open the data in ${name}`,
    rereading: 'Reading the data anew',
    notReread: 'Could not read the data anew',
    notShown: 'Could not show examples',
    noNames: (file: string) => `Could not read class names from ${file}`,
    several: (top: string, others: number) => `${top} and ${others} more`,
    unnamed: 'the data',
  },

  brokeOff: 'Training broke off',
  notTold: (what: 'pause' | 'resume' | 'stop') => `Could not ${what} training`,

  /** Runs that are kept. */
  runs: {
    notListed: 'Could not list the kept runs',
    noFolder: (run: string) => `Could not open the folder of ${run}`,
    denied: (folder: string) => `storage: the browser may not use the folder ${folder}`,
    deniedAdvice: 'Try again and allow it, or pick the folder on the Open page.',
    opening: (run: string) => ({
      label: `Opening the run ${run}`,
      failure: `Could not open ${run}`,
    }),
    looking: (run: string) => ({
      label: `Looking into the run ${run}`,
      failure: `Could not look into ${run}`,
    }),
    packing: (run: string) => ({ label: `Packing ${run}`, failure: `Could not pack ${run}` }),
    removing: (run: string) => ({
      label: `Removing ${run}`,
      failure: `Could not remove ${run}`,
    }),
  },
} as const;

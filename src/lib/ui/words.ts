/** What several areas say; then, part by part, what the frame around all pages says. */

export const words = {
  app: 'Weightroom',
  cancel: 'Cancel',
  close: 'Close',
  copy: 'Copy',
  dismiss: 'Dismiss',
  none: 'none',
  remove: 'Remove',
  undo: 'Undo',
  chooseFile: 'Choose file',
  chooseFiles: 'Choose files',
  chooseFolder: 'Choose folder',

  /** The steps, and the titles of their pages. */
  pages: {
    '/': 'Open',
    '/checkpoint': 'Checkpoint',
    '/safety': 'Safety',
    '/compare': 'Compare',
    '/edit': 'Edit',
    '/model': 'Model',
    '/run': 'Run',
    '/train': 'Train',
    '/save': 'Save',
    '/guide': 'Guide',
  },
  pageTitle: (page: string) => `${page} – Weightroom`,
  skip: 'Skip to the page',

  steps: {
    title: 'Steps',
    mark: (mark: string) => `(${mark})`,
    marks: {
      done: 'done',
      busy: 'in progress',
      ready: 'ready',
      waiting: 'not ready yet',
      good: 'nothing wrong',
      doubt: 'in doubt',
      bad: 'refused',
    },
  },

  bar: {
    brand: 'Weightroom, open a checkpoint',
    commands: 'Commands',
    allCommands: 'All commands',
    theme: (choice: string) => `Theme: ${choice}`,
    changeTheme: (choice: string) => `Theme: ${choice}. Change`,
    themes: { system: 'as the system', light: 'light', dark: 'dark' },
    backends: { webgpu: 'WebGPU', webgl: 'WebGL', cpu: 'CPU' },
  },

  update: {
    ready: 'A new version of the lab is ready.',
    reload: 'Reload',
    waits: 'after what is in progress',
    later: 'Later',
  },

  problems: {
    title: 'Problems',
    copy: 'Copy details',
    dismiss: (title: string) => `Dismiss: ${title}`,
    details: 'Details for a report',
    open: (name: string, format: string) => `Open: ${name}, ${format}`,
    /** What a report needs beside the problem; nothing of the person. */
    environment: (version: string, browser: string) => `Weightroom ${version}, ${browser}`,
  },
  notices: {
    closed: (name: string) => `Closed ${name}`,
    undo: (text: string) => `Undo: ${text}`,
  },
  findings: {
    severity: (severity: string) => `${severity}: `,
    showLine: 'Show this line',
    copy: 'Copy the finding',
  },
  copying: { copied: 'Copied', failed: 'Could not copy' },

  drop: {
    scan: 'Drop to look into it',
    scanBody: 'Any file will do, also one that does not open. It is read as data, and not opened.',
    data: 'Drop to train on it',
    compare: 'Drop to compare',
    open: 'Drop to open',
    stays: 'The files stay on this device.',
    replaces: (name: string) => `A checkpoint replaces ${name}, if it can be read.`,
    /** What may be dropped, and what it is taken for. `Marked` shows backquotes as code. */
    checkpoint: ['`.pt .pth .bin .safetensors .gguf`', 'the checkpoint'],
    shards: ['a folder, or all its shards', 'a sharded or distributed one'],
    source: ['`.py`', 'a file, or a folder or .zip of them: the source'],
    beside: ['`.npz .npy .csv`', 'or a folder of pictures: the data'],
    arrays: ['`.npz .npy .pt .safetensors`', 'arrays'],
    table: ['`.csv .tsv`', 'a table'],
    pictures: ['a folder or `.zip`', 'pictures, a folder for each class'],
    mnist: ['`idx3-ubyte.gz`', 'MNIST’s files'],
    text: ['`.txt`', 'for a language model'],
  },

  /** How files come in. */
  arriving: {
    reading: 'Reading the files',
    dropUnread: 'Could not read what was dropped',
    filesUnread: 'Could not read the files',
    folderUnread: 'Could not read the folder',
    launchUnread: 'Could not open what the system gave',
    tooMuch: (folder: string, what: string) => `folder: ${folder}: ${what}`,
    tooDeep: (most: number) => `it nests over ${most} folders deep`,
    tooMany: (most: number) => `it holds over ${most} files`,
    tooMuchAdvice: 'Drop the folder that holds only the checkpoint, or its files.',
  },

  opening: {
    doing: (name: string) => `Opening ${name}`,
    failed: (name: string) => `Could not open ${name}`,
    read: (bytes: string) => `${bytes} read`,
    look: 'Look into the file',
    compareThem: 'Compare them',
    question: {
      title: (name: string) => `Open ${name}?`,
      endsTraining:
        'Training is running. Opening another checkpoint ends it, and what it has learned is lost.',
      losesTrained: 'The trained model has not been saved. Opening another checkpoint discards it.',
      stop: 'Stop training and open',
      discard: 'Discard and open',
    },
    pageCrash: 'The page before this one crashed',
    endedAt: (files: string) => `the page ended while it read ${files}`,
    endedAdvice: 'It may need more memory than the browser has. It is not opened again.',
  },
  closing: {
    close: (name: string) => `Close ${name}`,
    failed: (name: string) => `Could not close ${name}`,
    question: {
      title: (name: string) => `Close ${name}?`,
      endsTraining:
        'Training is running. Closing its checkpoint ends it, and what it has learned is lost.',
      losesTrained: 'The trained model has not been saved. Closing its checkpoint discards it.',
      stop: 'Stop training and close',
      discard: 'Discard and close',
    },
  },
  sample: {
    loading: (title: string) => `Loading ${title}`,
    failed: (title: string) => `Could not load the sample ${title}`,
    unfetched: (path: string, status: number) =>
      `sample: ${path} could not be fetched, status ${status}`,
  },
  source: {
    reading: 'Reading the source',
    failed: 'Could not read the source',
    noneTitle: 'No source in it',
    none: (name: string) => `source: no .py file in ${name}`,
    it: 'it',
    noneAdvice:
      'Bring the file that defines the nn.Module, its folder, or a zip of the repository.',
  },
  building: {
    trains: 'The model is in training',
    notAnew: 'a model that trains cannot be built anew',
    trainsAdvice: 'Stop the training first.',
    title: 'Build again?',
    body: 'The trained model has not been saved. Building again goes back to the checkpoint.',
    action: 'Discard and build',
  },

  /** The way back into a kept run. */
  resuming: {
    found: (run: string) => `Of the run ${run}`,
    alone: (run: string) => `The run ${run} cannot go on by itself`,
    withoutSource: (run: string) =>
      `runs: the model of ${run} came out of a file, which its states do not hold`,
    withoutSourceAdvice:
      'Its newest state is open. Bring the source of the model to train on from it.',
    bring: (what: string) => `${what} is to be brought again`,
    tooLarge: (what: string, run: string) => `runs: ${what} was too large to be kept with ${run}`,
    tooLargeAdvice: 'Drop it; then the run can go on.',
  },

  /** After a crash of the worker. */
  recovery: {
    title: 'The lab’s worker stopped',
    notAgain: (files: string) => `${files} is not opened again.`,
    learnedLost: 'What training had learned is lost.',
    reopening: 'What was open is being opened again.',
    fresh: 'A fresh one has taken its place.',
    goesOn: (run: string, epoch: number) =>
      `The run ${run} goes on from epoch ${epoch}, as it was kept.`,
    kept: 'The run is kept: it can be resumed from the Open page.',
    notKept: 'Nothing of the run was kept yet.',
    smallerBatch: 'A smaller batch needs less memory.',
    reopened: 'What was open has been opened again.',
  },

  copyRow: 'Copy the row',
  /** What a curve's points are counted by. */
  step: 'step',

  rules: {
    kinds: { strip: 'strip prefix', add: 'add prefix', replace: 'replace', path: 'path' },
    kind: (rule: number) => `Kind of rule ${rule}`,
    pattern: (rule: number) => `Pattern of rule ${rule}, a regular expression`,
    patternExample: '^encoder\\.(\\d+)',
    path: (rule: number) => `Path of rule ${rule}, with {n} for a number`,
    pathExample: 'encoder.layer.{n}',
    movedExample: 'blocks.{n+1}',
    with: (rule: number) => `What rule ${rule} puts there`,
    withExample: 'layers.$1',
    prefix: (rule: number) => `Prefix of rule ${rule}`,
    prefixExample: 'backbone.',
    remove: (rule: number) => `Remove rule ${rule}`,
  },

  /** How pictures are prepared for a model. */
  recipe: {
    title: 'Preparation',
    ownPreset: 'as set below',
    steps: 'Steps',
    resize: 'Resize',
    resizes: { shorter: 'shorter side', longer: 'longer side', stretch: 'stretch', none: 'none' },
    height: 'Height',
    width: 'Width',
    side: 'Size of the side',
    interpolation: 'Interpolation',
    interpolations: ['bilinear', 'bicubic', 'nearest'],
    crop: 'Centre crop',
    channels: 'Channels',
    channelKinds: { RGB: 'RGB', BGR: 'BGR', L: 'grey' },
    range: 'Range',
    ranges: { '0..1': '0 to 1', '-1..1': '−1 to 1', '0..255': '0 to 255' },
    mean: 'Mean',
    std: 'Std',
  },

  /** Tensors as bars and heat maps. */
  pictures: {
    oneNumber: 'One number:',
    bars: (label: string, count: number) => `${label}: ${count} numbers as bars`,
    between: (low: string | number, high: string | number) => `${low} to ${high}`,
    counted: (count: number, step: number, low: string, high: string) =>
      `${count} numbers${step > 1 ? `, ${step} in each bar` : ''}, from ${low} to ${high}`,
    maps: (label: string) => `${label} maps`,
    shape: (maps: number, rows: number, columns: number) =>
      `${maps === 1 ? 'Rows and columns' : `${maps} maps of`} [${rows}, ${columns}]`,
    tooLarge: (reduction: string, rows: number, columns: number) =>
      `Too large for a picture: each pixel is the ${reduction} of ${rows} × ${columns} numbers.`,
    reductions: { mean: 'mean', min: 'least', max: 'largest' },
    before: 'Maps before',
    more: 'More maps',
    page: (first: number, last: number, total: number) => `${first}–${last} of ${total}`,
    oneScale: 'One scale for all',
    scale: (above: boolean, below: boolean, to: string | null) =>
      `Black is 0${above ? ', green above' : ''}${below ? ', orange below' : ''}` +
      (to === null ? '' : `, to ${to}`),
    colourScale: (to: string | null) =>
      'Channels 0, 1 and 2 as red, green and blue: grey is 0, brighter above, darker below' +
      (to === null ? '' : `, to ${to}`),
    looksAt: (from: string, to: string) => `, “${from}” looks at “${to}”`,
  },
} as const;

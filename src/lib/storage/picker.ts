/** The browser's pickers of a place to write to, where it has them. */

interface SavePickerOptions {
  suggestedName: string;
  types: { description: string; accept: Record<`${string}/${string}`, `.${string}`[]> }[];
}
type SavePicker = (options: SavePickerOptions) => Promise<FileSystemFileHandle>;

function savePicker(): SavePicker | undefined {
  return (globalThis as { showSaveFilePicker?: SavePicker }).showSaveFilePicker;
}

export function canPickSave(): boolean {
  return savePicker() !== undefined;
}

const kinds = {
  pt: { description: 'PyTorch checkpoint', extensions: ['.pt', '.pth'] },
  pth: { description: 'PyTorch checkpoint (before 1.6)', extensions: ['.pth', '.pt'] },
  bin: { description: 'PyTorch checkpoint', extensions: ['.bin'] },
  safetensors: { description: 'safetensors', extensions: ['.safetensors'] },
  npz: { description: 'NumPy archive', extensions: ['.npz'] },
} as const;

/** Asks where to save. Null when the person cancels. */
export async function pickSave(
  suggestedName: string,
  format: keyof typeof kinds,
): Promise<FileSystemFileHandle | null> {
  const pick = savePicker();
  if (!pick) throw new Error('picker: this browser has no save picker');
  const { description, extensions } = kinds[format];
  return unlessCancelled(
    pick.call(globalThis, {
      suggestedName,
      types: [{ description, accept: { 'application/octet-stream': [...extensions] } }],
    }),
  );
}

type FilesPicker = (options: { multiple: boolean }) => Promise<FileSystemFileHandle[]>;

/**
 * Asks for files to read: by handles, which open them again in a later visit, where the browser has
 * them. Null when the person cancels.
 */
export async function pickFiles(): Promise<FileSystemFileHandle[] | File[] | null> {
  const pick = (globalThis as { showOpenFilePicker?: FilesPicker }).showOpenFilePicker;
  return pick ? unlessCancelled(pick.call(globalThis, { multiple: true })) : chosenFiles();
}

/** By the field that every browser has. */
function chosenFiles(): Promise<File[] | null> {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  return new Promise((resolve) => {
    input.onchange = () => resolve([...(input.files ?? [])]);
    input.oncancel = () => resolve(null);
    input.click();
  });
}

type DirectoryMode = 'read' | 'readwrite';
type DirectoryPicker = (options: { mode: DirectoryMode }) => Promise<FileSystemDirectoryHandle>;

function directoryPicker(): DirectoryPicker | undefined {
  return (globalThis as { showDirectoryPicker?: DirectoryPicker }).showDirectoryPicker;
}

export function canPickDirectory(): boolean {
  return directoryPicker() !== undefined;
}

/** Asks for a folder to read, or to save into. Null when the person cancels. */
export async function pickDirectory(
  mode: DirectoryMode,
): Promise<FileSystemDirectoryHandle | null> {
  const pick = directoryPicker();
  if (!pick) throw new Error('picker: this browser has no folder picker');
  return unlessCancelled(pick.call(globalThis, { mode }));
}

async function unlessCancelled<T>(picked: Promise<T>): Promise<T | null> {
  try {
    return await picked;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

/** Not in TypeScript's library: only Chromium's handles forget what they were allowed. */
interface Asking {
  queryPermission?(options: { mode: DirectoryMode }): Promise<PermissionState>;
  requestPermission?(options: { mode: DirectoryMode }): Promise<PermissionState>;
}

/**
 * Whether a file or folder that was picked in an earlier visit may be used; asks, after a click
 * only.
 */
export async function allowed(
  handle: FileSystemHandle,
  mode: DirectoryMode = 'readwrite',
): Promise<boolean> {
  const asking = handle as Asking;
  const options = { mode };
  if ((await asking.queryPermission?.(options)) === 'granted') return true;
  return ((await asking.requestPermission?.(options)) ?? 'granted') === 'granted';
}

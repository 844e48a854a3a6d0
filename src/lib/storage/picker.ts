/** The browser's save picker, where it has one. */

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
  try {
    return await pick.call(globalThis, {
      suggestedName,
      types: [{ description, accept: { 'application/octet-stream': [...extensions] } }],
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

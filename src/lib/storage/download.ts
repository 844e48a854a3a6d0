import { safeName } from './safe_name.ts';

/** How long a download's object URL lives; browsers read it after the click, some only later. */
const urlLifetime = 60_000;

/** Hands a file to the browser's own downloads. */
export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = safeName(name);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), urlLifetime);
}

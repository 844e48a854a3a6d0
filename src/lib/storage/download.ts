/** How long a download's object URL lives; browsers read it after the click, some only later. */
const urlLifetime = 60_000;

/** Longest file name that common file systems take, with room for ` (1)`. */
const longestName = 200;

/** Hands a file to the browser's own downloads. */
export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = safeName(name);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), urlLifetime);
}

/** A file name without folders, control characters, direction overrides or reserved marks. */
export function safeName(name: string): string {
  const clean = name
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[\\/:*?"<>|]/g, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  if (clean.length <= longestName) return clean || 'checkpoint';
  const dot = clean.lastIndexOf('.');
  const extension = dot > 0 && clean.length - dot <= 16 ? clean.slice(dot) : '';
  return clean.slice(0, longestName - extension.length) + extension;
}

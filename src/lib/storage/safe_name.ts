/** Longest file name that common file systems take, with room for ` (1)`. */
const longestName = 200;

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

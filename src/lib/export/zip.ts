import JSZip from 'jszip';
import type { ProjectFile } from './project.ts';

/** The files in one folder of a zip; checkpoints are stored, since weights do not shrink. */
export async function zipProject(folder: string, files: readonly ProjectFile[]): Promise<Blob> {
  const zip = new JSZip();
  for (const { path, content } of files) {
    const compression = typeof content === 'string' ? 'DEFLATE' : 'STORE';
    zip.file(`${folder}/${path}`, content, { compression });
  }
  return zip.generateAsync({ type: 'blob' });
}

/** The Pythons' reading of files: what `tests/judge/load.py` says of each. */
import type { Description } from '../fixtures/describe.ts';
import { runPython } from '../python.ts';

export interface Judgement {
  /** Version of the PyTorch that read it. */
  readonly torch: string;
  readonly root?: Description;
  readonly error?: string;
  /** `__metadata__` of a safetensors file. */
  readonly metadata?: unknown;
}

/** Of a file that the lab wrote. */
export interface WrittenJudgement extends Judgement {
  /** Whether `weights_only=True` took it; PyTorch 1.13 refuses plain values such as floats. */
  readonly weights_only?: boolean;
  /** Of a zip: the first entry with a wrong CRC-32, and how it differs when it is mapped. */
  readonly damaged?: string | null;
  readonly mapped?: string | null;
}

/** Loads files as their users would. */
export function load(paths: readonly string[], python?: string): Promise<Judgement[]> {
  return run(paths, python);
}

/** Loads files that the lab wrote, in every way that there is. */
export function judgeWritten(
  paths: readonly string[],
  python?: string,
): Promise<WrittenJudgement[]> {
  return run(['--written', ...paths], python);
}

async function run(args: readonly string[], python?: string): Promise<WrittenJudgement[]> {
  const lines = await runPython('tests/judge/load.py', [...args], { python });
  const texts = lines.split('\n').filter((line) => line !== '');
  return texts.map((line) => JSON.parse(line) as WrittenJudgement);
}

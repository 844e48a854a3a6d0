/**
 * The Pythons that judge the lab. The newest supported PyTorch lives in `.venv`, which the test
 * command makes by itself; the oldest is Debian's `python3-torch`, where there is one.
 *
 * As a program, `node tests/python.ts script.py …` runs a script with the Python of `.venv`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { installPackages } from './debian.ts';

const root = resolve(import.meta.dirname, '..');
const venv = join(root, '.venv');
const requirements = ['torch<2.14', 'numpy', 'safetensors', 'gguf'];

/** Python with PyTorch 2.13, numpy, safetensors and gguf. */
export const python = join(
  venv,
  process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python',
);

/** Python with Debian's PyTorch 1.13, or null where there is none. */
export const oldPython = findOldPython();

function findOldPython(): string | null {
  const path = '/usr/bin/python3';
  const script = 'from importlib.metadata import version; print(version("torch"))';
  const found = spawnSync(path, ['-c', script], { encoding: 'utf8' });
  return found.status === 0 && found.stdout.startsWith('1.13.') ? path : null;
}

function isReady(): boolean {
  const check =
    'import torch, numpy, safetensors, gguf; assert torch.__version__.startswith("2.13.")';
  return existsSync(python) && spawnSync(python, ['-c', check]).status === 0;
}

/** Runs a script (a path from the repository's root) and gives its standard output. */
export function runPython(
  script: string,
  args: string[] = [],
  options: { python?: string; input?: string } = {},
): Promise<string> {
  return new Promise((fulfil, reject) => {
    const child = spawn(options.python ?? python, [resolve(root, script), ...args], {
      cwd: root,
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return fulfil(Buffer.concat(out).toString());
      const tail = Buffer.concat(err).toString().trim().slice(-2000);
      reject(new Error(`python: ${script} ended with ${signal ?? code}: ${tail}`));
    });
    child.stdin.on('error', () => {}); // a script may end without reading its input
    child.stdin.end(options.input ?? '');
  });
}

/** Makes `.venv` where it is missing. Gives null, or a message that says what to install. */
export function ensurePython(): string | null {
  if (isReady()) return null;
  const make = () => {
    const { status, error } = spawnSync('python3', ['-m', 'venv', '--clear', venv], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    return status === 0 && !error;
  };
  console.log(`making .venv with ${requirements.join(', ')}`);
  if (!make() && !(installPackages('python3', 'python3-venv') && make())) {
    return 'no virtual environment can be made: install Python 3.10 or later with its venv module';
  }
  spawnSync(python, ['-m', 'pip', 'install', '--quiet', '--retries', '0', ...requirements], {
    stdio: 'inherit',
  });
  if (isReady()) return null;
  return `PyTorch 2.13 is missing: .venv/bin/pip install ${requirements.map((name) => `"${name}"`).join(' ')}`;
}

/** Installs PyTorch 1.13 where that is possible. Gives null, or what to install. */
export function ensureOldPython(): string | null {
  if (findOldPython()) return null;
  if (installPackages('python3-torch') && findOldPython()) return null;
  return 'PyTorch 1.13 is missing: install python3-torch of Debian 12';
}

if (import.meta.main) {
  const problem = ensurePython();
  if (problem) console.error(problem);
  const run = problem ? null : spawnSync(python, process.argv.slice(2), { stdio: 'inherit' });
  process.exitCode = run?.status ?? 1;
}

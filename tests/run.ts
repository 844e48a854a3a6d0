/**
 * The test command. `npm test` runs every stage in order; `npm test -- unit parity` only those
 * named. The last line says how many tests passed and failed; lint, check and build count as one
 * each. Python and Chromium are installed where that is possible; where it is not, their stages
 * are skipped with a message, and fail in CI.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join, relative, resolve } from 'node:path';
import { ensureChromium } from './chromium.ts';
import { ensureOldPython, ensurePython } from './python.ts';

interface Outcome {
  passed: number;
  failed: number;
  skipped: string[];
}
interface Stage {
  readonly run: () => Promise<Outcome>;
  /** Each gives null, or says what to install. */
  readonly needs?: readonly (() => string | null)[];
}
/** The part of vitest's JSON report that is read here. */
interface Report {
  testResults: {
    name: string;
    status: 'passed' | 'failed';
    assertionResults: { fullName: string; status: string }[];
  }[];
}

const root = resolve(import.meta.dirname, '..');
const made = join(root, 'tests', '.made');
const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`;

const stages: Record<string, Stage> = {
  lint: { run: () => command('npm', ['run', '--silent', 'lint']) },
  check: { run: () => command('npm', ['run', '--silent', 'check']) },
  unit: { run: () => vitest('unit') },
  parity: { run: () => vitest('parity'), needs: [ensurePython] },
  // The browser tests serve the app below a sub-path, as static hosts do.
  build: { run: () => command('vite', ['build'], { BASE_PATH: '/weightroom' }) },
  browser: { run: () => vitest('browser'), needs: [ensurePython, ensureChromium] },
};

function execute(name: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((fulfil) => {
    const child = spawn(name, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PATH: path, ...env },
    });
    child.on('error', (error) => {
      console.error(`${name}: ${error.message}`);
      fulfil(1);
    });
    child.on('close', (code) => fulfil(code ?? 1));
  });
}

async function command(name: string, args: string[], env?: NodeJS.ProcessEnv): Promise<Outcome> {
  const ok = (await execute(name, args, env)) === 0;
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [] };
}

async function vitest(project: string): Promise<Outcome> {
  const report = join(made, `report-${project}.json`);
  mkdirSync(made, { recursive: true });
  rmSync(report, { force: true });
  const code = await execute('vitest', [
    ...['run', '--project', project],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  ]);
  return count(report, code);
}

/** A file that fails outside of its tests, or a run that fails outside of its files, is one more. */
function count(report: string, code: number): Outcome {
  const outcome: Outcome = { passed: 0, failed: 0, skipped: [] };
  try {
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    for (const { name, status, assertionResults } of testResults) {
      const failed = assertionResults.filter((test) => test.status === 'failed').length;
      outcome.failed += status === 'failed' ? Math.max(1, failed) : failed;
      for (const test of assertionResults) {
        if (test.status === 'passed') outcome.passed += 1;
        else if (test.status !== 'failed') {
          outcome.skipped.push(`${relative(root, name)}: ${test.fullName}`);
        }
      }
    }
  } catch (error) {
    console.error(`no report of the tests: ${error instanceof Error ? error.message : error}`);
  }
  if (code !== 0 && outcome.failed === 0) outcome.failed = 1;
  return outcome;
}

/** What is missing fails in CI; elsewhere it only skips. */
function missing(what: string, message: string): Outcome {
  console.log(`${what}: ${message}`);
  return process.env.CI
    ? { passed: 0, failed: 1, skipped: [] }
    : { passed: 0, failed: 0, skipped: [`${what}: ${message}`] };
}

async function runStage(name: string, { run, needs = [] }: Stage): Promise<Outcome> {
  for (const need of needs) {
    const message = need();
    if (message) return missing(name, message);
  }
  return run();
}

const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in stages));
if (unknown.length > 0) {
  console.error(`unknown stage ${unknown.join(', ')}; there are ${Object.keys(stages).join(', ')}`);
  process.exit(2);
}

const total: Outcome = { passed: 0, failed: 0, skipped: [] };
const add = (outcome: Outcome) => {
  total.passed += outcome.passed;
  total.failed += outcome.failed;
  total.skipped.push(...outcome.skipped);
};
const chosen = Object.entries(stages).filter(([name]) => !named.length || named.includes(name));
if (chosen.some(([name]) => name === 'parity')) {
  // Without the oldest PyTorch the other parity tests still run; its own skip themselves.
  const message = ensureOldPython();
  if (message) add(missing('parity', message));
}
for (const [name, stage] of chosen) {
  console.log(`\n== ${name} ==`);
  const start = performance.now();
  const outcome = await runStage(name, stage);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name}: ${outcome.passed} passed, ${outcome.failed} failed, ${seconds} s`);
  add(outcome);
}
console.log();
if (total.skipped.length > 0) {
  console.log(`${total.skipped.length} skipped:\n  ${total.skipped.join('\n  ')}`);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;

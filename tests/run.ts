/**
 * The test command. `npm test` runs every stage in order; `npm test -- unit parity` only those
 * named. The last line says how many tests passed and failed; lint, check and build count as one
 * each. Python and Chromium are installed where that is possible; where it is not, what needs them
 * is skipped with a message. In CI nothing may be skipped: it counts as failed.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join, relative, resolve } from 'node:path';
import { ensureChromium } from './chromium.ts';
import { ensureVulkan } from './dawn.ts';
import { ensureOldPython, ensurePython } from './python.ts';

interface Outcome {
  passed: number;
  failed: number;
  skipped: string[];
}
/** Sees that a tool is there. Gives null, or a message that says what to install. */
type Tool = () => string | null;
interface Stage {
  readonly run: () => Promise<Outcome>;
  /** Without these the stage is skipped. */
  readonly needs?: readonly Tool[];
  /** Without these the tests that use them skip themselves. */
  readonly wants?: readonly Tool[];
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

const newestPython = once(ensurePython);
const oldestPython = once(ensureOldPython);
const chromium = once(ensureChromium);
/** WebGPU in Node: the loader, and the software adapter that Chromium brings. */
const webgpu = once(() => chromium() ?? ensureVulkan());

const stages: Record<string, Stage> = {
  lint: { run: () => command('npm', ['run', '--silent', 'lint']) },
  check: { run: () => command('npm', ['run', '--silent', 'check']) },
  unit: { run: () => vitest('unit') },
  parity: { run: () => vitest('parity'), needs: [newestPython, webgpu], wants: [oldestPython] },
  // The browser tests serve the app below a sub-path, as static hosts do.
  build: { run: () => command('vite', ['build'], { BASE_PATH: '/weightroom' }) },
  browser: { run: () => vitest('browser'), needs: [newestPython, chromium] },
};

function once(tool: Tool): Tool {
  let message: string | null | undefined;
  return () => (message === undefined ? (message = tool()) : message);
}

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

async function runStage(name: string, { run, needs = [], wants = [] }: Stage): Promise<Outcome> {
  const missing = (tools: readonly Tool[]) =>
    tools.map((tool) => tool()).filter((message) => message !== null);
  const lacks = missing(needs).map((message) => `all of ${name}: ${message}`);
  if (lacks.length > 0) return { passed: 0, failed: 0, skipped: lacks };
  const partly = missing(wants).map((message) => `some of ${name}: ${message}`);
  const outcome = await run();
  return { ...outcome, skipped: [...partly, ...outcome.skipped] };
}

const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in stages));
if (unknown.length > 0) {
  console.error(`unknown stage ${unknown.join(', ')}; there are ${Object.keys(stages).join(', ')}`);
  process.exit(2);
}

const total: Outcome = { passed: 0, failed: 0, skipped: [] };
for (const [name, stage] of Object.entries(stages)) {
  if (named.length > 0 && !named.includes(name)) continue;
  console.log(`\n== ${name} ==`);
  const start = performance.now();
  const { passed, failed, skipped } = await runStage(name, stage);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${name}: ${passed} passed, ${failed} failed, ${skipped.length} skipped, ${seconds} s`,
  );
  total.passed += passed;
  total.failed += failed;
  total.skipped.push(...skipped);
}
console.log();
if (total.skipped.length > 0) {
  const failing = process.env.CI ? ', which counts as failed in CI' : '';
  console.log(`${total.skipped.length} skipped${failing}:\n  ${total.skipped.join('\n  ')}`);
  if (process.env.CI) total.failed += total.skipped.length;
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;

/**
 * `npm run bench:gate-test [-- --times=3] [--only=leak,sound]`: the gate, tested. Each planted fault, in a copy of the
 * project, must make `npm run bench:nano` fail for the reason expected; the copy without one must pass.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { stopLeftovers } from '../scripts/embedded/leftovers.ts';
import { argumentsOrExit, countIn, namesIn } from './arguments.ts';
import { removeStackFolder } from './layout/seeded-data.ts';
import { loadBenches } from './modules.ts';
import { plant } from './planted-faults/planted-fault.ts';
import { copyWorkingTree, linkShared, ROOT, SEEDED } from './working-tree.ts';

const COPIES = path.join(ROOT, '.tardigrade', 'gate-test');
const SOUND = 'sound';
const SOUND_SCENARIOS = ['baseline', 'counters', 'soak'];
const RUN_MS_MAX = 10 * 60_000;

const TIMES_MAX = 100;

const faces = await Promise.all((await loadBenches()).map(async (bench) => bench.plantedFaults?.()));
const faults = faces.flatMap((face) => face?.plantedFaults ?? []);
const all = [SOUND, ...faults.map(({ name }) => name)];
const { times, names } = argumentsOrExit(
  `npm run bench:gate-test -- [--times=3] [--only=${all.join(',')}]`,
  readOptions,
);
let failed = 0;
let passed = 0;
for (let time = 1; time <= times; time++) {
  for (const name of names) {
    const { held, seconds, told } = await tryOne(name);
    if (held) passed++;
    else failed++;
    console.log(`${held ? 'ok    ' : 'FAILED'} │ ${name.padEnd(14)} │ ${String(seconds).padStart(3)} s │ ${told}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function tryOne(name: string): Promise<{ held: boolean; seconds: number; told: string }> {
  const fault = faults.find((one) => one.name === name);
  const copy = await copyOf(name);
  try {
    if (fault !== undefined) {
      const file = path.join(copy, fault.file);
      writeFileSync(file, plant(readFileSync(file, 'utf8'), fault));
    }
    const begun = performance.now();
    const { code, output } = await runNano(copy, fault?.scenarios ?? SOUND_SCENARIOS);
    const seconds = Math.round((performance.now() - begun) / 1000);
    const verdict = output.slice(Math.max(0, output.lastIndexOf('The gate: '))).trim();
    writeFileSync(path.join(COPIES, `${name}.log`), output);
    cpSync(path.join(copy, 'bench', 'results'), path.join(COPIES, `${name}-results`), { recursive: true });
    const told = verdict.split('\n').find((line) => fault?.expected.test(line));
    if (fault === undefined) return { held: code === 0, seconds, told: oneLine(verdict || output) };
    return {
      held: code === 1 && told !== undefined,
      seconds,
      told: oneLine(told ?? `exit code ${code}: ${verdict || output}`),
    };
  } finally {
    await removeCopy(copy);
  }
}

/** The working tree as it is, changes included; the seeded data is shared, for a copy would seed its own. */
async function copyOf(name: string): Promise<string> {
  const copy = path.join(COPIES, name);
  await removeCopy(copy);
  copyWorkingTree(copy);
  linkShared('node_modules', copy);
  linkShared(SEEDED, copy);
  return copy;
}

/** With what a killed run may have left running in it. */
async function removeCopy(copy: string): Promise<void> {
  const stack = path.join(copy, '.tardigrade', 'bench', 'nano-each');
  if (existsSync(stack)) {
    await stopLeftovers(stack);
    removeStackFolder(stack);
  }
  if (existsSync(copy)) removeStackFolder(copy);
}

function runNano(copy: string, scenarios: readonly string[]): Promise<{ code: number | null; output: string }> {
  const args = [path.join('bench', 'nano.ts'), `--only=${scenarios.join(',')}`];
  const child = spawn(process.execPath, args, { cwd: copy, timeout: RUN_MS_MAX, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

function oneLine(text: string): string {
  const short = text.replaceAll(/\s+/g, ' ').trim();
  return short.length <= 300 ? short : `${short.slice(0, 300)} …`;
}

function readOptions(args: string[]): { times: number; names: readonly string[] } {
  const options = { times: { type: 'string', default: '1' }, only: { type: 'string' } } as const;
  const { values } = parseArgs({ args, options });
  return { times: countIn('times', values.times, TIMES_MAX), names: namesIn(values.only, all) ?? all };
}

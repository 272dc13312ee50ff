/**
 * `npm start`: runs the whole product on this machine.
 *
 *   --native       run the workers from src/ instead of dist/
 *   --no-workers   start only the servers; start workers yourself with npm run start:api and the like
 *   --no-restart   do not restart a worker or a server that dies (by default it is restarted, a limited number of times)
 *   --no-seed      do not seed an empty database
 *   --folder=path  keep data and logs there instead of in .tardigrade, to run a second product next to the first
 *   --ports=any    use any free ports instead of the usual ones
 *
 * DATABASE_URL, DATABASE_REPLICA_URL, REDIS_URL and SMTP_URL each replace an embedded server with a real one.
 * Ctrl-C stops everything in order; a second Ctrl-C stops it at once.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { StackRunningError } from './embedded/leftovers.ts';
import { SAME_SIGNAL_MS } from './embedded/limits.ts';
import { livingProcesses } from './embedded/process-record.ts';
import { type Product, startProduct } from './embedded/product.ts';
import { givenServers } from './embedded/stack.ts';
import { readStackFile, type StackFile } from './embedded/stack-file.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const flags = readFlags();
const FOLDER = path.resolve(flags.folder);
const unwanted = new AbortController();
let product: Product | undefined;
let stopping: Promise<void> | undefined;
let signalledAt = 0;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
// A closed terminal must not prevent an orderly stop.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const started = performance.now();
try {
  product = await startProduct({
    ...flags,
    root: ROOT,
    folder: FOLDER,
    given: givenServers(process.env),
    environment: process.env,
    signal: unwanted.signal,
    onProgress: (step, ms) => console.log(`  ${step.padEnd(28)} ${(ms / 1000).toFixed(2)} s`),
    onNews: (message) => console.error(message),
  });
  console.log(summary(product.file, performance.now() - started));
} catch (error) {
  if (unwanted.signal.aborted) process.exit(0);
  console.error(error instanceof StackRunningError ? alreadyRunning(error) : `\nnpm start failed: ${explain(error)}`);
  process.exit(1);
}

function readFlags() {
  try {
    const { values } = parseArgs({
      allowNegative: true,
      options: {
        native: { type: 'boolean', default: false },
        workers: { type: 'boolean', default: true },
        restart: { type: 'boolean', default: true },
        seed: { type: 'boolean', default: true },
        folder: { type: 'string', default: path.join(ROOT, '.tardigrade') },
        ports: { type: 'string', default: 'usual' },
      },
    });
    const { ports } = values;
    if (ports !== 'usual' && ports !== 'any') throw new Error(`--ports must be usual or any, not ${ports}`);
    return { ...values, ports } as const;
  } catch (error) {
    console.error(
      `${explain(error)}\nOptions: npm start -- [--native] [--no-workers] [--no-restart] [--no-seed] [--folder=path] [--ports=any]`,
    );
    return process.exit(64);
  }
}

function onSignal(): void {
  const now = performance.now();
  if (stopping === undefined) {
    signalledAt = now;
    stopping = stop();
  } else if (now - signalledAt > SAME_SIGNAL_MS) {
    force();
  }
}

async function stop(): Promise<void> {
  console.log('\nStopping (Ctrl-C again to force) ...');
  unwanted.abort();
  // A start in progress notices the abort, stops what it has started and exits above.
  if (product === undefined) return;
  const begun = performance.now();
  await product.stop();
  console.log(`Stopped in ${((performance.now() - begun) / 1000).toFixed(1)} s. Your data is in ${shown(FOLDER)}/.`);
  process.exit(0);
}

/** PostgreSQL and Redis recover from this at the next start, and the workers are built for it. */
function force(): void {
  for (const { name, pid } of livingProcesses(FOLDER)) {
    if (name === 'start') continue;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  }
  delay(SAME_SIGNAL_MS).then(() => process.exit(130));
}

function summary({ urls, login }: StackFile, ms: number): string {
  const lines = [
    ['Dashboard', urls.dashboard],
    ['  sign in', login.email === '' ? '(no seed data)' : `${login.email} / ${login.password}`],
    ['Caught mail', urls.mail ?? '(goes to SMTP_URL)'],
    ['API reference', urls.docs],
    ['Chat', urls.chat],
    ['Logs', `${shown(FOLDER)}/logs/`],
    ['Stop', 'Ctrl-C'],
  ] as const;
  const block = lines.map(([name, value]) => `  ${name.padEnd(14)} ${value}`).join('\n');
  return `\nTardigrade is up after ${(ms / 1000).toFixed(1)} s\n\n${block}\n`;
}

function alreadyRunning(error: StackRunningError): string {
  const file = readStackFile(FOLDER);
  return file === undefined
    ? `Tardigrade is already starting or stopping (process ${error.pid}).`
    : `Tardigrade is already running (process ${error.pid}).\n${summary(file, 0).split('\n').slice(2).join('\n')}`;
}

/** Relative to the project's folder, if it is inside. */
function shown(folder: string): string {
  const relative = path.relative(ROOT, folder);
  return relative.startsWith('..') ? folder : relative;
}

function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

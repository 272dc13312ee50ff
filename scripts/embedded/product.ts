/**
 * The product on its stack: what `npm start` runs. Starts servers, build, migrations, seed and workers, in this order;
 * `stop` goes in reverse. A start that fails stops everything that it started.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { LISTENING_PROCESSES, type ListeningProcess } from '../../src/processes.ts';
import { isBuilt } from '../build.ts';
import { requireMarkAt } from '../staging/mark.ts';
import { boundLog, runToEnd, type WrapCommand } from './child.ts';
import { StackRunningError, stackOwner } from './leftovers.ts';
import { BUILD_MS, LOG_CHECK_MS, MIGRATE_MS } from './limits.ts';
import type { PortChoice } from './ports.ts';
import { type GivenServers, type ServerName, type Stack, startStack } from './stack.ts';
import { removeStackFile, type StackFile, writeStackFile } from './stack-file.ts';
import { superviseWorker, type Worker } from './supervise.ts';
import { chooseWorkerPorts, type WorkerPorts, workerEnvironment } from './worker-environment.ts';

export type ProductOptions = {
  /** The project's root, which contains `dist/`, `src/` and `scripts/`. */
  root: string;
  folder: string;
  ports: PortChoice;
  given: GivenServers;
  environment: NodeJS.ProcessEnv;
  /** Run the workers from src/ instead of dist/. */
  native: boolean;
  workers: boolean;
  restart: boolean;
  seed: boolean;
  /** Puts each part's commands into a box. */
  wrap?: WrapCommand;
  /** Works on the migrated database before the seed finds it empty or not. Returns a login if it knows one that works. */
  prepare?: (stack: Stack) => Promise<StackFile['login'] | undefined>;
  /** Aborts the start: it ends at the next step and stops what it has started. */
  signal: AbortSignal;
  onProgress: (step: string, ms: number) => void;
  /** What dies, what runs again, and why a database was not seeded. */
  onNews: (message: string) => void;
};

export type Product = { file: StackFile; stop: () => Promise<void> };

type Seed = {
  SEED_LOGIN: { email: string; password: string };
  seed: (databaseUrl: string, options: { scale: number; onProgress?: (text: string) => void }) => Promise<unknown>;
};

const NO_LOGIN = { email: '', password: '' };

export async function startProduct(options: ProductOptions): Promise<Product> {
  const { root, folder, signal, onProgress } = options;
  const step = async <T>(label: string, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    const begun = performance.now();
    const result = await work();
    onProgress(label, performance.now() - begun);
    return result;
  };

  // Before the build, because that replaces the files that a running product loads.
  const owner = stackOwner(folder);
  if (owner !== undefined) throw new StackRunningError(folder, owner);

  const workers = new Map<string, Worker>();
  let logTimer: NodeJS.Timeout | undefined;
  let stack: Stack | undefined;
  let published: StackFile | undefined;
  const noteStart = (name: string, pid: number) => {
    if (published === undefined) return; // it will have the pids of that time
    published.pids[name] = pid;
    writeStackFile(folder, published);
  };
  const stop = async () => {
    clearInterval(logTimer);
    await Promise.all([...workers.values()].map((worker) => worker.stop()));
    // If we have not started a stack, the file belongs to another process.
    if (stack !== undefined) removeStackFile(folder);
    await stack?.stop();
  };

  try {
    // Build and servers do not depend on each other.
    const building = options.native || isBuilt(root) ? undefined : step('dist/ built', () => buildApart(root, folder));
    building?.catch(() => undefined);
    const { given, restart, onNews: onDeath, wrap } = options;
    const watching = {
      ...{ restart, onDeath },
      onRestart: (name: ServerName, pid: number) => {
        options.onNews(`${name} runs again (process ${pid})`);
        noteStart(name, pid);
      },
    };
    stack = await startStack({ folder, ports: options.ports, given, wrap, onProgress, watching });
    // A file left by a killed start would point readers to processes that no longer exist.
    removeStackFile(folder);
    await building;

    const ports = await chooseWorkerPorts(options.ports);
    const { databaseUrl, secrets } = stack;
    const smtpUrl = stack.smtpUrl as string;
    const settings = { ...stack, smtpUrl, secretKey: secrets.secretKey, ports };
    const env = workerEnvironment(settings, options.environment);
    const launch = options.native ? path.join('workers', 'launch.ts') : path.join('dist', 'launch.js');
    const command = { folder, command: process.execPath, cwd: root, env };

    await step('Migrations', () =>
      runToEnd({ ...command, name: 'migrate', args: [launch, 'migrate'], deadlineMs: MIGRATE_MS }),
    );
    const login = await options.prepare?.(stack);
    const seed = await loadSeed(root);
    let isUnmarked = false;
    if (options.seed && seed !== undefined && (await isEmpty(databaseUrl))) {
      const refusal = options.given.databaseUrl === undefined ? undefined : await whyNotSeeded(databaseUrl);
      if (refusal === undefined) await step('Seed', () => seed.seed(databaseUrl, { scale: 1 }));
      else options.onNews(refusal);
      isUnmarked = refusal !== undefined;
    }

    const file = stackFileOf(ports, stack, smtpUrl, login ?? (isUnmarked ? NO_LOGIN : seed?.SEED_LOGIN) ?? NO_LOGIN);
    // Everybody knows that password: whoever has it runs the platform only where nothing but our own servers is shown.
    if (options.given.databaseUrl === undefined && stack.urls.mail !== undefined) file.operators = file.login.email;
    const workerEnv = workerEnvironment({ ...settings, operators: file.operators }, options.environment);
    const startWorker = async (name: ListeningProcess) => {
      const worker = await superviseWorker({
        ...command,
        env: workerEnv,
        wrap: options.wrap,
        name,
        args: [launch, name],
        readyUrl: `http://127.0.0.1:${ports[name]}/readyz`,
        restart: options.restart,
        onDeath,
        onRestart: (pid) => noteStart(name, pid),
      });
      workers.set(name, worker);
      file.pids[name] = worker.pid();
    };
    if (options.workers)
      await step(LISTENING_PROCESSES.join(', '), () => allSettledOrThrow(LISTENING_PROCESSES.map(startWorker)));
    signal.throwIfAborted();

    published = file;
    writeStackFile(folder, file);
    const logs = [...Object.keys(stack.pids), ...workers.keys()];
    logTimer = setInterval(() => logs.forEach((name) => void boundLog(folder, name)), LOG_CHECK_MS);
    return { file, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** In a separate process, so that the bundler's memory is freed when it is done. */
function buildApart(root: string, folder: string): Promise<void> {
  const args = [path.join(root, 'scripts', 'build.ts')];
  return runToEnd({ folder, name: 'build', command: process.execPath, args, cwd: root, deadlineMs: BUILD_MS });
}

/** The seed, if the project still has one. */
async function loadSeed(root: string): Promise<Seed | undefined> {
  const file = path.join(root, 'scripts', 'seed.ts');
  return existsSync(file) ? ((await import(pathToFileURL(file).href)) as Seed) : undefined;
}

/** Everybody knows the password of the seed, and a database that was given may be anybody's. Undefined when it is marked. */
function whyNotSeeded(databaseUrl: string): Promise<string | undefined> {
  return requireMarkAt(databaseUrl).then(
    () => undefined,
    (error: Error) => `Not seeded. ${error.message}`,
  );
}

async function isEmpty(databaseUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // To a role that cannot see any rows, every database would look empty.
    const { rows } = await client.query(
      "select row_security_active('organisations') or exists (select from organisations) as filled",
    );
    return !rows[0].filled;
  } finally {
    await client.end();
  }
}

function stackFileOf(ports: WorkerPorts, stack: Stack, smtpUrl: string, login: StackFile['login']): StackFile {
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return {
    urls: {
      api: at(ports.api),
      chat: at(ports.chat),
      dashboard: `${at(ports.api)}/`,
      mail: stack.urls.mail,
      docs: `${at(ports.api)}/docs`,
      mailer: at(ports.mailer),
    },
    login,
    operators: '',
    databaseUrl: stack.databaseUrl,
    workerDatabaseUrl: stack.workerDatabaseUrl,
    workerDatabaseReplicaUrl: stack.workerDatabaseReplicaUrl,
    databaseReplicaUrl: stack.databaseReplicaUrl,
    redisUrl: stack.redisUrl,
    smtpUrl,
    pids: { ...stack.pids, start: process.pid },
  };
}

/** Waits for all before it throws: a worker that is still starting when another fails could not be stopped. */
async function allSettledOrThrow(tasks: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(tasks)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

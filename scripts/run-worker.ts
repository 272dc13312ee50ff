/**
 * `npm run start:api` and its siblings: one worker in the foreground.
 *
 * With DATABASE_URL, REDIS_URL, SMTP_URL and SECRET_KEY set it runs on what they say. What is unset comes from the
 * stack that runs in .tardigrade (`npm start -- --no-workers` brings up one without workers).
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { stackOwner } from './embedded/leftovers.ts';
import { loadSecrets } from './embedded/secrets.ts';
import { readStackFile } from './embedded/stack-file.ts';
import { chooseWorkerPorts, workerEnvironment } from './embedded/worker-environment.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const FOLDER = path.join(ROOT, '.tardigrade');
const NEEDED = ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL', 'SECRET_KEY'];

const name = process.argv[2] ?? '';
const missing = NEEDED.filter((variable) => !process.env[variable]);
const stack = stackOwner(FOLDER) === undefined ? undefined : readStackFile(FOLDER);

if (missing.length > 0 && stack === undefined) {
  console.error(
    `${missing.join(', ')} not set and no stack is running: set them, or run npm start -- --no-workers elsewhere`,
  );
  process.exit(1);
}

const launch = path.join(ROOT, 'src', 'process', 'launch.ts');
const built = path.join(ROOT, 'dist', 'launch.js');
// A deployed copy has no src/; a developer's wants what was just written there.
const worker = spawn(process.execPath, [existsSync(launch) ? launch : built, name], {
  cwd: ROOT,
  stdio: 'inherit',
  env: missing.length === 0 || stack === undefined ? process.env : await fromStack(stack),
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => worker.kill(signal));
worker.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 143)));

async function fromStack(running: NonNullable<typeof stack>): Promise<NodeJS.ProcessEnv> {
  const environment = workerEnvironment(
    {
      databaseUrl: process.env.DATABASE_URL || running.databaseUrl,
      databaseReplicaUrl: process.env.DATABASE_REPLICA_URL || running.databaseReplicaUrl,
      redisUrl: process.env.REDIS_URL || running.redisUrl,
      smtpUrl: process.env.SMTP_URL || running.smtpUrl,
      secretKey: loadSecrets(FOLDER).secretKey,
      ports: await chooseWorkerPorts(),
    },
    process.env,
  );
  // The links in mails and pages are those of the stack, wherever this worker listens.
  return {
    ...environment,
    API_URL: running.urls.api,
    CHAT_URL: running.urls.chat,
    ...pick('API_PORT', 'CHAT_PORT', 'MAILER_PORT'),
  };
}

/** Ports that were set by hand stay as they were set. */
function pick(...variables: string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(
    variables.map((variable) => [variable, process.env[variable]]).filter(([, value]) => value),
  );
}

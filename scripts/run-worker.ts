/**
 * `npm run start:api` and its siblings: runs one worker in the foreground, from dist/, which is rebuilt if a source has
 * changed (`-- --native` runs the sources directly).
 *
 * Uses DATABASE_URL, REDIS_URL, SMTP_URL and SECRET_KEY where they are set, and the stack that is running in
 * .tardigrade for the rest (`npm start -- --no-workers` starts one without workers).
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { runningStackEnvironment } from './embedded/running-stack.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const NEEDED = ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL', 'SECRET_KEY'];

const name = process.argv[2] ?? '';
const missing = NEEDED.filter((variable) => !process.env[variable]);
const environment =
  missing.length === 0 ? process.env : await runningStackEnvironment(path.join(ROOT, '.tardigrade'), process.env);
if (environment === undefined) {
  console.error(
    `${missing.join(', ')} not set, and no stack is running: set them, or run npm start -- --no-workers in another terminal`,
  );
  process.exit(1);
}

// Replaces this process with the worker (same pid): signals reach it, and nothing of this script stays in memory.
process.execve?.(process.execPath, [process.execPath, launcher(), name], environment);

function launcher(): string {
  const source = path.join(ROOT, 'workers', 'launch.ts');
  if (process.argv.includes('--native')) return source;
  // A deployed copy has no src/ and is already built. The build runs in a separate process, because it needs a lot of
  // memory.
  if (existsSync(source))
    execFileSync(process.execPath, [path.join(ROOT, 'scripts', 'build.ts')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  return path.join(ROOT, 'dist', 'launch.js');
}

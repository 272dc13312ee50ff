/**
 * `npm run start:api` and its siblings: one worker in the foreground, from dist/, which is built when a source is newer
 * (`-- --native` runs the sources themselves).
 *
 * With DATABASE_URL, REDIS_URL, SMTP_URL and SECRET_KEY set it runs on what they say. What is unset comes from the
 * stack that runs in .tardigrade (`npm start -- --no-workers` brings up one without workers).
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
    `${missing.join(', ')} not set and no stack is running: set them, or run npm start -- --no-workers elsewhere`,
  );
  process.exit(1);
}

// This process makes room for the worker (same pid): signals reach it, and nothing of the script stays in memory.
process.execve?.(process.execPath, [process.execPath, launcher(), name], environment);

function launcher(): string {
  const source = path.join(ROOT, 'workers', 'launch.ts');
  if (process.argv.includes('--native')) return source;
  // A deployed copy has no src/ and is built already. The build is a process of its own: it needs much memory for a moment.
  if (existsSync(source))
    execFileSync(process.execPath, [path.join(ROOT, 'scripts', 'build.ts')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  return path.join(ROOT, 'dist', 'launch.js');
}

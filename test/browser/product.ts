import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { readStackFile } from '../../scripts/embedded/stack-file.ts';
import { reset } from '../../scripts/reset.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Holds `.tardigrade`, as a project's folder does. */
    home: string;
  }
}

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const START_MS = 120_000;

/** The whole product, as `npm start` brings it up, on free ports in a folder of its own; gone when the tests end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = mkdtempSync(path.join(tmpdir(), 'tardigrade-browser-'));
  const folder = path.join(home, '.tardigrade');
  mkdirSync(folder, { mode: 0o700 });
  const args = [path.join(ROOT, 'scripts', 'start.ts'), '--native', `--folder=${folder}`, '--ports=any'];
  const env = { ...process.env, MAIL_PER_SECOND: '2000', WEBHOOK_NETWORKS: '127.0.0.0/8', ...NO_GIVEN_SERVERS };
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  const up = new Promise<void>((resolve, reject) => {
    const hear = (data: Buffer) => {
      said += data;
      if (said.includes('Tardigrade is up')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => reject(new Error(`The product did not start:\n${said}`)));
    setTimeout(() => reject(new Error(`The product is not up after ${START_MS} ms:\n${said}`)), START_MS).unref();
  });
  const stop = async () => {
    child.kill('SIGINT');
    await ended;
    await reset(folder);
    rmSync(home, { recursive: true, force: true });
  };
  await up.catch(async (error: Error) => {
    await stop();
    throw error;
  });
  if (readStackFile(folder) === undefined) throw new Error('The product is up and stack.json is missing');
  project.provide('home', home);
  return stop;
}

/** The product of the test brings its own servers, whatever the developer's shell points at. */
const NO_GIVEN_SERVERS = { DATABASE_URL: '', DATABASE_REPLICA_URL: '', REDIS_URL: '', SMTP_URL: '' };

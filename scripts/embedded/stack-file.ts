/** `stack.json`: the addresses of a running stack, for other programs (tests, the bench, `npm run start:api`). */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export type StackFile = {
  urls: { api: string; chat: string; dashboard: string; mail: string | undefined; docs: string; mailer: string };
  login: { email: string; password: string };
  /** OPERATORS of its workers. */
  operators: string;
  /** The owner's; the workers use the two below. */
  databaseUrl: string;
  workerDatabaseUrl: string;
  workerDatabaseReplicaUrl: string | undefined;
  databaseReplicaUrl: string | undefined;
  redisUrl: string;
  smtpUrl: string;
  /** primary, replica, redis, mail, api, mailer, chat, and `start`, their parent. */
  pids: Record<string, number>;
};

/** Written atomically; readable only by its owner, because it contains passwords. */
export function writeStackFile(folder: string, stack: StackFile): void {
  writeFileSync(`${stackFile(folder)}.new`, `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${stackFile(folder)}.new`, stackFile(folder));
}

export function readStackFile(folder: string): StackFile | undefined {
  try {
    return JSON.parse(readFileSync(stackFile(folder), 'utf8')) as StackFile;
  } catch {
    return undefined;
  }
}

export function removeStackFile(folder: string): void {
  rmSync(stackFile(folder), { force: true });
}

function stackFile(folder: string): string {
  return path.join(folder, 'stack.json');
}

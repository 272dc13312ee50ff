import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { sql } from 'kysely';
import { choosePort } from '../../scripts/embedded/ports.ts';
import type { Stack } from '../../scripts/embedded/stack.ts';
import { superviseWorker } from '../../scripts/embedded/supervise.ts';
import { chooseWorkerPorts, workerEnvironment } from '../../scripts/embedded/worker-environment.ts';
import type { Db } from '../../src/db/schema.ts';
import { createSessions } from '../../src/http/authentication.ts';
import { createIssuedTokens } from '../../src/http/issued-tokens.ts';
import { heapFlags, memoryLimit } from '../../src/process/memory-limit.ts';
import type { ListPage } from './list-page.ts';

export interface Contestant {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pid: number;
  /** Where it writes a CPU profile, see profile-on-signal.ts; undefined for one that is only measured. */
  readonly profile: string | undefined;
  stop(): Promise<void>;
}

export interface ToBare {
  readonly databaseUrl: string;
  readonly orgId: number;
  readonly port: number;
  readonly statement: ListPage['bare'];
}

/** One organisation with the rows of the page; made once. */
export async function fill(db: Db, listPage: ListPage): Promise<number> {
  const known = await db.selectFrom('organisations').select('id').executeTakeFirst();
  if (known !== undefined) return known.id;
  const orgId = await db.transaction().execute(async (transaction) => {
    const { id } = await transaction
      .insertInto('organisations')
      .values({ name: 'List page' })
      .returning('id')
      .executeTakeFirstOrThrow();
    await listPage.fill(transaction, id);
    return id;
  });
  await sql`vacuum (analyze)`.execute(db);
  return orgId;
}

interface ProductOptions {
  readonly root: string;
  readonly folder: string;
  readonly stack: Stack;
  readonly db: Db;
  readonly orgId: number;
  readonly path: string;
  /** Undefined: as it is deployed. Otherwise from its sources, so that a profile names the files. */
  readonly profile: string | undefined;
}

function profiled(file: string): Record<string, string> {
  return {
    CPU_PROFILE: file,
    NODE_OPTIONS: `--import=${path.join(import.meta.dirname, 'profile-on-signal.ts')}`,
  };
}

/** The product's api, with somebody of the organisation signed in. */
export async function startProduct(options: ProductOptions): Promise<Contestant> {
  const { root, folder, stack, db, orgId, profile } = options;
  const user = await db
    .insertInto('users')
    .values({
      org_id: orgId,
      email: `${randomBytes(6).toString('hex')}@list.test`,
      name: 'Reader',
      role: 'viewer',
      password_hash: 'none',
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  const tokens = createIssuedTokens(stack.secrets.secretKey);
  const token = await createSessions({ primary: () => db }, tokens).create(db, { orgId, userId: user.id });
  const ports = await chooseWorkerPorts('any');
  const settings = { ...stack, smtpUrl: 'smtp://127.0.0.1:1', secretKey: stack.secrets.secretKey, ports };
  const worker = await superviseWorker({
    folder,
    name: 'api',
    command: process.execPath,
    args: [
      profile === undefined ? path.join(root, 'dist', 'launch.js') : path.join(root, 'workers', 'launch.ts'),
      'api',
    ],
    cwd: root,
    // The one reader's limit is counted and never reached.
    env: workerEnvironment(settings, {
      PATH: process.env['PATH'],
      LOG_LEVEL: 'warn',
      REQUESTS_PER_MINUTE: '100000000',
      ...(profile === undefined ? {} : profiled(profile)),
    }),
    readyUrl: `http://127.0.0.1:${ports.api}/readyz`,
    restart: false,
  });
  return {
    url: `http://127.0.0.1:${ports.api}${options.path}`,
    headers: { authorization: `Bearer ${token}` },
    ...{ pid: worker.pid(), profile },
    stop: worker.stop,
  };
}

export async function startBare(
  databaseUrl: string,
  orgId: number,
  statement: ListPage['bare'],
  profile: string | undefined,
): Promise<Contestant> {
  const port = await choosePort('api', 'any');
  const child: ChildProcess = fork(path.join(import.meta.dirname, 'bare.ts'), {
    execArgv: heapFlags(memoryLimit()),
    env: { ...process.env, ...(profile === undefined ? {} : profiled(profile)) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ready = once(child, 'message');
  child.send({ databaseUrl, orgId, port, statement } satisfies ToBare);
  await ready;
  return {
    url: `http://127.0.0.1:${port}/page`,
    headers: {},
    ...{ pid: child.pid as number, profile },
    async stop() {
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}

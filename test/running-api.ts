import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { Socket } from 'node:net';
import type { Role } from '../src/db/schema.ts';
import { createSessions } from '../src/http/authentication.ts';
import { createIssuedTokens } from '../src/http/issued-tokens.ts';
import { NO_PASSWORD } from '../src/http/password-hashing.ts';
import { start } from '../workers/api.ts';
import { type ApiClient, createClient } from './api-client.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { undocumentedAnswers } from './documented-answers.ts';
import { TEST_MODULES } from './modules.ts';
import { openApiOf } from './openapi.ts';
import { addOrganisation } from './organisation.ts';
import { registerClient } from './registration.ts';
import { emptyRedis, OPERATOR, SECRET_KEY, startWorker, type TestWorker, testEnvironment } from './worker.ts';

export interface RunningApi {
  readonly url: string;
  readonly database: TestDatabase;
  readonly worker: TestWorker;
  /** A new organisation, and its owner as client. */
  register(): Promise<ApiClient>;
  /** The same without a registration, which costs a password hash and is limited to a few a minute. */
  newOwner(): Promise<ApiClient>;
  /** Another user of an organisation, signed in. */
  signedIn(orgId: number, role: Role): Promise<ApiClient>;
  /** Somebody who runs the platform, in an organisation of their own. Once for each api: an address has one account. */
  operator(role?: Role): Promise<ApiClient>;
  gauge(name: string): number;
  stop(): Promise<void>;
}

/** The api as its process runs it, on a database, a replica and a port of its own. */
export async function runApi(
  environment: Record<string, string> | ((database: TestDatabase) => Promise<Record<string, string>>) = {},
  modules = TEST_MODULES,
): Promise<RunningApi> {
  const database = await createTestDatabase();
  await emptyRedis();
  const own = typeof environment === 'function' ? await environment(database) : environment;
  const worker = await startWorker('api', start, { ...(await testEnvironment(database)), ...own }, modules);
  const { apiUrl: url } = worker.config;
  async function signedIn(
    orgId: number,
    role: Role,
    email = `${role}-${randomBytes(6).toString('hex')}@example.test`,
  ): Promise<ApiClient> {
    const user = await database.db
      .insertInto('users')
      .values({ org_id: orgId, email, name: role, role, password_hash: NO_PASSWORD })
      .returning('id')
      .executeTakeFirstOrThrow();
    const token = await createSessions(database.database, createIssuedTokens(SECRET_KEY)).create(database.db, {
      orgId,
      userId: user.id,
    });
    return createClient(url, token, orgId);
  }
  return {
    url,
    database,
    worker,
    register: () => registerClient({ url, database }),
    signedIn: (orgId, role) => signedIn(orgId, role),
    newOwner: async () => signedIn(await addOrganisation(database.db), 'owner'),
    operator: async (role = 'viewer') => signedIn(await addOrganisation(database.db), role, OPERATOR),
    gauge: (name) => worker.process.metrics.report().gauges[name] ?? Number.NaN,
    async stop() {
      // Not of a process that the test has stopped already.
      const document = await openApiOf(url).catch(() => undefined);
      const metrics = await worker.process.metrics.text();
      await worker.stop();
      await database.close();
      const undocumented = document === undefined ? [] : undocumentedAnswers(metrics, document);
      if (undocumented.length > 0) throw new Error(undocumented.join('\n'));
    },
  };
}

/** A request whose body is sent piece by piece; `cut` breaks the connection. */
export function slowRequest(url: string, method: string, path: string, headers: Record<string, string>) {
  const { hostname, port } = new URL(url);
  const request = httpRequest({ hostname, port, method, path, headers, agent: false });
  const answer = new Promise<{ status: number; body: string }>((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      response.setEncoding('utf8');
      let body = '';
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', reject);
    });
  });
  answer.catch(() => undefined);
  return {
    answer,
    send: (piece: string | Buffer) => void request.write(piece),
    end: (piece?: string | Buffer) => void request.end(piece),
    flush: () => request.flushHeaders(),
    cut: () => void request.destroy(),
  };
}

/** Sends bytes as they are, which no HTTP client would; resolves to everything that came back until the server closed. */
export async function rawRequest(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = new Socket().connect(Number(port), hostname);
  socket.setEncoding('utf8');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

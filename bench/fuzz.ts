/**
 * `npm run bench:fuzz [-- --requests=20000] [--seed=1]`: property-based requests to every operation of the document,
 * with the api in a box of 512 MB. Fails for a 5xx, an answer that the document does not name, an OOM kill, or memory
 * that grows from one half to the other; and when most requests end at the validation, because then they prove little. It
 * prints the seed: the same one makes the same requests, to whatever ids the lists have.
 */
import path from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { Agent } from 'undici';
import { argumentsOrExit, countIn } from './arguments.ts';
import { call } from './call.ts';
import { arbitraryRequest, type FuzzedOperation } from './fuzz/arbitrary-request.ts';
import { knownThings } from './fuzz/known-things.ts';
import { faultOf, sendFuzzed } from './fuzz/send-fuzzed.ts';
import { startLayout } from './layout/layout.ts';
import { signInOf } from './load/accounts.ts';
import { stopOnSignal } from './stop-on-signal.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const REQUESTS_MAX = 1_000_000;
const AT_ONCE = 4;
const SHOWN_MAX = 20;
const GROWTH_BYTES_MAX = 48 * 1024 * 1024;
const OWNERS = ['puddle.test', 'goeze.test', 'cryptobiosis.test', 'slowstepper.test', 'rotifer.test', 'dewdrop.test'];
const SIGNED_OUT = [204, 401];
const TOO_OFTEN = /answered with (?:429|503)/;
const SIGN_IN_AGAIN_MS = 5_000; // an account may sign in ten times a minute

const { requests, seed } = argumentsOrExit('npm run bench:fuzz -- [--requests=20000] [--seed=1]', (args) => {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: 'string', default: '20000' },
      seed: { type: 'string', default: String(Date.now() % 1e9) },
    },
  });
  return {
    requests: countIn('requests', values.requests, REQUESTS_MAX),
    seed: countIn('seed', values.seed, Number.MAX_SAFE_INTEGER),
  };
});

type Described = FuzzedOperation & { readonly responses: Readonly<Record<string, unknown>> };

stopOnSignal();
console.log(`seed ${seed}`);
const layout = await startLayout({
  kind: 'nano-each',
  seedScale: 1,
  folder: path.join(ROOT, '.tardigrade', 'fuzz'),
  environment: { REQUESTS_PER_MINUTE: '100000000' },
});
try {
  const { api } = layout.addresses;
  const { paths } = (await call<{ paths: Record<string, Record<string, object>> }>(api, '/docs/openapi.json')).json;
  const operations = Object.entries(paths).flatMap(([where, methods]) =>
    Object.entries(methods).map(
      ([method, one]) => ({ ...one, method: method.toUpperCase(), path: where }) as Described,
    ),
  );
  const byRoute = new Map(operations.map((one) => [`${one.method} ${one.path}`, one]));
  const faults = new Map<string, number>();
  const statuses = new Map<number, number>();
  const owners = OWNERS.map((domain) => `owner@${domain}`);
  let token = await signIn();
  let renewing: Promise<string> | undefined;
  let sent = 0;

  /** Some requests take away the account that sends them: then the owner of the next organisation goes on. */
  async function signIn(): Promise<string> {
    for (let email = owners[0]; email !== undefined; email = owners[0]) {
      const account = await signInOf(api, email).catch((error: Error) => error);
      if (!(account instanceof Error)) return account.token;
      if (TOO_OFTEN.test(account.message)) await sleep(SIGN_IN_AGAIN_MS);
      else owners.shift();
    }
    throw new Error('Nobody is left to sign in as: give OWNERS more organisations of the seed.');
  }

  /** Others sign it out. What follows would be refused without being read. */
  async function staySignedIn(): Promise<void> {
    const isSignedIn = await call(api, '/api/v1/me', { token }).then(
      () => true,
      () => false,
    );
    if (isSignedIn) return;
    renewing ??= signIn().finally(() => {
      renewing = undefined;
    });
    token = await renewing;
  }

  async function sendSome(count: number, part: number): Promise<void> {
    const known = await knownThings(api, token, operations);
    const some = fc.sample(arbitraryRequest(operations, known), { numRuns: count, seed: seed + part });
    // That takes a minute on a busy machine: what the server has closed meanwhile has to be noticed before it is used.
    await nextTurn();
    // Each part comes from a network of its own, whose tries its wrong passwords use up; ours has to sign in again.
    const network = new Agent({ localAddress: `127.0.1.${part + 1}` });
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let request = some.pop(); request !== undefined; request = some.pop()) {
          const used = token;
          const answer = await sendFuzzed(api, used, request, network);
          sent++;
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          if (used === token && SIGNED_OUT.includes(answer.status)) await staySignedIn();
          const fault = faultOf(answer, byRoute.get(request.route) as Described);
          if (fault === undefined) continue;
          const line = `${request.route}: ${fault.slice(0, 200)}`;
          faults.set(line, (faults.get(line) ?? 0) + 1);
          if (faults.size <= SHOWN_MAX && faults.get(line) === 1)
            console.log(`${line}\n  ${JSON.stringify(request).slice(0, 500)}`);
        }
      }),
    );
    await network.close();
  }

  const PARTS = 10;
  const memory: number[] = [];
  for (let part = 0; part < PARTS; part++) {
    await sendSome(Math.ceil(requests / PARTS), part);
    memory.push(layout.boxes.get('api')?.figures().neededPeakBytes ?? Number.NaN);
    console.log(`${sent} requests, the api has needed ${mb(memory.at(-1))} MB at most`);
  }
  const growth = (memory.at(-1) ?? 0) - (memory[PARTS / 2 - 1] ?? 0);
  const refused = statuses.get(400) ?? 0;
  const kills = layout.boxes.get('api')?.figures().oomKills ?? 0;
  const deaths = layout.deaths();
  console.log(
    `answers: ${[...statuses]
      .toSorted()
      .map(([status, n]) => `${status}: ${n}`)
      .join(', ')}`,
  );
  console.log(
    `${sent - refused} of ${sent} got past the validation, ${faults.size} kinds of faults, ${kills} OOM kills, ${deaths.length} deaths, the peak grew by ${mb(growth)} MB in the second half`,
  );
  process.exitCode =
    faults.size > 0 || kills > 0 || deaths.length > 0 || growth > GROWTH_BYTES_MAX || refused > sent / 2 ? 1 : 0;
} finally {
  await layout.stop();
}

function mb(bytes: number | undefined): number {
  return Math.round((bytes ?? Number.NaN) / 1024 / 1024);
}

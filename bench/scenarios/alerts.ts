import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { FAULTS, type PlantedAlert } from '../alerts/faults.ts';
import { type Prometheus, startPrometheus } from '../alerts/prometheus.ts';
import { type Layout, startLayout } from '../layout/layout.ts';
import { signInSeeded } from '../load/accounts.ts';
import { round } from '../numbers.ts';
import type { OwnLayoutScenario } from './scenario.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '..', '.tardigrade', 'bench', 'alerts');
const SEED_SCALE = 0.1;
const CERTIFICATE_DAYS = 3;
const DISK = '16m';
const FIRES_WITHIN_MS = 5 * 60_000; // the longest condition, two minutes, and the window over which counters grow
const ASK_EVERY_MS = 250;

interface Fired {
  readonly rule: string;
  readonly fault: string;
  readonly mailer: number | undefined;
  readonly prometheus: number | undefined;
  readonly failed: number;
}

/** A fault for each alert in a running product, while somebody uses it: each is told before that person notices. */
export const alertsFire: OwnLayoutScenario = {
  name: 'alerts',
  promise: 'alerts-before-full',
  line: `each of ${FAULTS.length} planted faults fires its alert, in the mailer and in Prometheus, before a request of somebody who uses the product fails; the owner gets the mails`,
  profile: 'full',

  async run(context) {
    const stops: (() => unknown)[] = [];
    try {
      const disk = await smallDisk(stops);
      const apiUrl = await shortLived(stops);
      const layout = await startLayout({
        kind: 'two-each',
        seedScale: SEED_SCALE,
        folder: FOLDER,
        soft: context.soft,
        environment: {
          ALERT_MAIL_TO: 'owner@acme.test',
          DISK_PATH: disk,
          API_URL: apiUrl,
          TRUST_PROXY_HOPS: '1',
        },
      });
      stops.push(() => layout.stop());
      context.watch(layout);
      stops.push(() => context.watch(undefined));
      const { apis, chats, mailer, databaseUrl, api, mail } = layout.addresses;
      const prometheus = await startPrometheus(FOLDER, [...apis, ...chats, mailer]);
      stops.push(() => prometheus?.stop());
      const client = new pg.Pool({ connectionString: databaseUrl, max: 2 });
      stops.push(() => client.end());
      const [account] = await signInSeeded(api);
      const user = startUser(api, account?.token ?? '');
      stops.push(user.stop);

      const fired: Fired[] = [];
      for (const group of [...new Set(FAULTS.map((fault) => fault.group))].toSorted()) {
        const faults = FAULTS.filter((fault) => fault.group === group);
        fired.push(...(await plantAll(faults, { layout, disk }, client, prometheus, user.failed)));
        for (const one of fired.slice(-faults.length))
          context.say(
            `${one.rule.padEnd(20)} ${seconds(one.mailer).padStart(6)} ${seconds(one.prometheus).padStart(6)}  ${one.failed} failed  ${one.fault}`,
          );
      }
      const mails = (
        (await (await fetch(`${mail}/api/mails?to=owner@acme.test&limit=500`)).json()) as {
          mails: { subject: string }[];
        }
      ).mails;
      const silent = fired.filter((one) => one.mailer === undefined).map(({ rule }) => rule);
      const silentThere = fired.filter((one) => one.prometheus === undefined).map(({ rule }) => rule);
      const failed = fired.reduce((sum, one) => sum + one.failed, 0);
      return {
        conditions: [
          {
            says: `every fault fires in the mailer (silent: ${silent.join(', ') || 'none'})`,
            holds: silent.length === 0,
          },
          ...(prometheus === undefined
            ? []
            : [
                {
                  says: `and in Prometheus (silent: ${silentThere.join(', ') || 'none'})`,
                  holds: silentThere.length === 0,
                },
              ]),
          { says: `no request of the user failed before (${failed} of ${user.asked()})`, holds: failed === 0 },
          { says: `the owner has mails (${mails.length})`, holds: mails.length > 0 },
        ],
        hints: prometheus === undefined ? ['Prometheus is not installed, so its half of the table is empty'] : [],
        inconclusive: layout.inconclusiveReasons(),
        figures: Object.fromEntries([
          ...fired.map(({ rule, mailer: ours, prometheus: theirs }) => [rule, `${seconds(ours)} / ${seconds(theirs)}`]),
          ['mails', mails.length],
        ]),
        boxes: Object.fromEntries([...layout.boxes].map(([name, box]) => [name, box.figures()])),
        memory: layout.memorySamples(),
      };
    } finally {
      for (const stop of stops.reverse()) await stop();
    }
  },
};

async function plantAll(
  faults: readonly PlantedAlert[],
  context: { layout: Layout; disk: string },
  client: pg.Pool,
  prometheus: Prometheus | undefined,
  failed: () => number,
): Promise<Fired[]> {
  const before = failed();
  const found = await Promise.all(
    faults.map(async ({ rule, fault, plant, lasts = false }) => {
      const begun = performance.now();
      const plantedAt = new Date();
      let end: () => unknown = () => undefined;
      const planting = plant(context).then((undo) => {
        end = undo;
      });
      const since = () => (performance.now() - begun) / 1_000;
      const watch = async (fires: () => Promise<boolean>) => {
        while (since() * 1_000 < FIRES_WITHIN_MS) {
          if (await fires().catch(() => false)) return round(since(), 0);
          await sleep(500);
        }
        return undefined;
      };
      let failedBefore = 0;
      const [mailer, theirs] = await Promise.all([
        watch(async () => {
          // The certificate was there before everything else.
          const { rows } = await client.query(
            'select from alerts where rule = $1 and (fired_at >= $2 or fired_at is not null and $1 = $3)',
            [rule, plantedAt, 'CertificateExpiring'],
          );
          failedBefore = failed() - before;
          return rows.length > 0;
        }),
        prometheus === undefined ? undefined : watch(async () => (await prometheus.firing()).includes(rule)),
        planting,
      ]);
      if (!lasts) await end();
      return { rule, fault, mailer, prometheus: theirs, failed: failedBefore, end: lasts ? end : undefined };
    }),
  );
  for (const { end } of found) await end?.();
  return found.map(({ end: _, ...one }) => one);
}

/** Somebody who looks at a page all the time, and comes back at once when the server says so. */
function startUser(api: string, token: string) {
  let asked = 0;
  let failed = 0;
  let ended = false;
  const running = (async () => {
    while (!ended) {
      asked++;
      const answer = await fetch(`${api}/api/v1/me`, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(10_000),
      }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status !== 200) failed++;
      await sleep(ASK_EVERY_MS);
    }
  })();
  return {
    asked: () => asked,
    failed: () => failed,
    async stop() {
      ended = true;
      await running;
    },
  };
}

/** A file system that can be filled. */
async function smallDisk(stops: (() => unknown)[]): Promise<string> {
  const disk = path.join(tmpdir(), `tardigrade-disk-${process.pid}`);
  mkdirSync(disk, { recursive: true });
  stops.push(() => rmSync(disk, { recursive: true, force: true }));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', disk]);
  stops.push(() => execFileSync('umount', [disk]));
  return disk;
}

/** The address of a server whose certificate ends soon. */
async function shortLived(stops: (() => unknown)[]): Promise<string> {
  const folder = path.join(tmpdir(), `tardigrade-certificate-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-days', String(CERTIFICATE_DAYS)];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  });
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

const seconds = (value: number | undefined) => (value === undefined ? 'never' : `${value} s`);

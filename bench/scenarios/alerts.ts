import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MODULES } from '../../src/modules.ts';
import { FAULTS } from '../alerts/faults.ts';
import { type Fired, fireAll } from '../alerts/fire.ts';
import { SPARE } from '../alerts/plant-memory.ts';
import type { PlantedAlert } from '../alerts/planted-alert.ts';
import { startPrometheus } from '../alerts/prometheus.ts';
import { namesIn } from '../arguments.ts';
import { startLayout } from '../layout/layout.ts';
import { signInSeeded } from '../load/accounts.ts';
import type { LoadedParts } from '../module-parts.ts';
import type { OwnLayoutScenario } from './scenario.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '..', '.tardigrade', 'bench', 'alerts');
const SEED_SCALE = 0.1;
const CERTIFICATE_DAYS = 3;
const DISK = '16m';
const ASK_EVERY_MS = 250;
const MAIL_COMES_MS = 120_000; // a tenth of the longest outage that is planted, and the mails themselves

/** A fault for each alert in a running product, while somebody uses it: each is told before that person notices. */
export const alertsFire: OwnLayoutScenario = {
  name: 'alerts',
  promise: 'alerts-before-full',
  line: 'each planted fault fires its alert, in the mailer and in Prometheus, before a request of somebody who uses the product fails; the owner gets the mails (--parts=<alert>,… for single ones)',
  profile: 'full',

  async run(context) {
    const faults = await chosenFaults(context.benches, context.parts);
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
      const { apis, chats, mailer, api, mail } = layout.addresses;
      const prometheus = await startPrometheus(FOLDER, [...apis, ...chats, mailer]);
      stops.push(() => prometheus?.stop());
      const accounts = await signInSeeded(api);
      const user = startUser(api, accounts[0]?.token ?? '');
      stops.push(user.stop);

      const fired: Fired[] = [];
      const fireContext = { layout, disk, accounts, prometheus, failed: user.failed, says: await wordsOfRules() };
      for (const group of [...new Set(faults.map((fault) => fault.group))].toSorted((a, b) => a - b)) {
        const found = await fireAll(
          faults.filter((fault) => fault.group === group),
          fireContext,
        );
        fired.push(...found);
        for (const one of found) context.say(rowOf(one));
      }
      const isTold = fired.some((one) => one.mailer !== undefined);
      const mails = isTold ? await mailsToOwner(mail) : 0;
      for (const line of [HEADING, ...fired.map(rowOf)]) context.say(line);
      const silentIn = (place: 'mailer' | 'Prometheus') =>
        fired.filter(({ silent }) => silent.includes(place)).map(({ rule }) => rule);
      const failed = fired.reduce((sum, one) => sum + one.failed, 0);
      const notPlanted = context.parts === undefined ? slowOf(await allFaults(context.benches)) : [];
      return {
        conditions: [
          ...(['mailer', 'Prometheus'] as const).map((place) => ({
            says: `every fault fires in ${place} (silent: ${silentIn(place).join(', ') || 'none'})`,
            holds: silentIn(place).length === 0,
          })),
          { says: `no request of the user failed before (${failed} of ${user.asked()})`, holds: failed === 0 },
          {
            says: `the owner has mails (${mails})`,
            holds: mails > 0 || fired.every((one) => one.mailer === undefined),
          },
        ],
        hints: [
          ...(prometheus === undefined ? ['Prometheus is not installed, so its half of the table is empty'] : []),
          ...notPlanted,
        ],
        inconclusive: layout.inconclusiveReasons(),
        figures: Object.fromEntries([
          ...fired.map((one) => [
            one.rule,
            `${seconds(one.mailer)} / ${seconds(one.prometheus)}, ${one.failed} failed`,
          ]),
          ['mails', mails],
        ]),
        // Without the one that is filled, and killed for it, on purpose: the gate would take that for a fault of ours.
        boxes: Object.fromEntries(
          [...layout.boxes].filter(([name]) => name !== SPARE).map(([name, box]) => [name, box.figures()]),
        ),
        memory: layout.memorySamples(),
      };
    } finally {
      for (const stop of stops.reverse()) await stop();
    }
  },
};

/** Where the mail server was what failed, they come when it is asked again. */
async function mailsToOwner(mail: string): Promise<number> {
  const deadline = performance.now() + MAIL_COMES_MS;
  for (;;) {
    const answer = await fetch(`${mail}/api/mails?to=owner@acme.test&limit=500`);
    const { mails } = (await answer.json()) as { mails: object[] };
    if (mails.length > 0 || performance.now() > deadline) return mails.length;
    await sleep(ASK_EVERY_MS);
  }
}

/** The platform's, and those of the modules. */
export async function allFaults(benches: readonly LoadedParts[]): Promise<PlantedAlert[]> {
  const faces = await Promise.all(benches.map((bench) => bench.alertFaults?.()));
  return [...FAULTS, ...faces.flatMap((face) => face?.alertFaults ?? [])];
}

/** Those that take long are planted only when they are named. */
async function chosenFaults(benches: readonly LoadedParts[], parts: readonly string[] | undefined) {
  const all = await allFaults(benches);
  const wanted = namesIn(
    parts?.join(','),
    all.map(({ rule }) => rule),
  );
  return all.filter(({ rule, minutes }) => wanted?.includes(rule) ?? minutes === undefined);
}

function slowOf(all: readonly PlantedAlert[]): string[] {
  const slow = all.filter(({ minutes }) => minutes !== undefined);
  return slow.map(({ rule, minutes }) => `${rule} needs ${minutes} minutes, so it fires only by --parts=${rule}`);
}

async function wordsOfRules(): Promise<(rule: string) => string> {
  const faces = await Promise.all(MODULES.map((module) => module.alerts?.()));
  const rules = faces.flatMap((face) => face?.alerts ?? []);
  return (name) => rules.find((rule) => rule.name === name)?.says ?? name;
}

const HEADING = `${'rule'.padEnd(20)} mailer  Prometheus  failed before  fault`;

function rowOf({ rule, mailer, prometheus, silent, failed, fault }: Fired): string {
  const cell = (value: number | undefined, place: 'mailer' | 'Prometheus') =>
    silent.includes(place) ? 'never' : value === undefined ? '-' : seconds(value);
  const cells = [
    cell(mailer, 'mailer').padStart(6),
    cell(prometheus, 'Prometheus').padStart(10),
    String(failed).padStart(13),
  ];
  return `${rule.padEnd(20)} ${cells.join('  ')}  ${fault}`;
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

const seconds = (value: number | undefined) => (value === undefined ? '-' : `${value} s`);

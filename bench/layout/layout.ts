/**
 * The whole product in boxes: each part in a nano of its own, or all of it in one. Limits come from docker-compose.yml.
 * Data is durable (a proof without fsync is none), seeded before the boxes exist, and cold: what a box reads, it pays for.
 */
import path from 'node:path';
import { runToEnd } from '../../scripts/embedded/child.ts';
import { claimFolder, releaseFolder } from '../../scripts/embedded/leftovers.ts';
import { BUILD_MS } from '../../scripts/embedded/limits.ts';
import { birthOf } from '../../scripts/embedded/process-record.ts';
import type { Box } from '../box/box.ts';
import { chooseDriver } from '../box/choose-driver.ts';
import type { EnforcedBy } from '../box/driver.ts';
import { boxNameOf, createBoxes, createWraps, type LayoutKind, PARTS } from './boxes.ts';
import { createMemorySamples, type MemorySamples } from './memory-samples.ts';
import {
  type Addresses,
  createParts,
  type Databases,
  type PartName,
  type Programs,
  type RunningPart,
} from './parts.ts';
import { signalTree } from './process-tree.ts';
import { putSeededData, removeStackFolder } from './seeded-data.ts';
import { limitFaults } from './verify-limits.ts';

export interface LayoutOptions {
  readonly kind: LayoutKind;
  /** As `npm run seed -- --scale`. */
  readonly seedScale: number;
  /** What the run writes: data, logs. Emptied first. */
  readonly folder: string;
  /** For the workers, over the layout's own: MAIL_PER_SECOND and the like. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Other programs in the place of the product's own workers; each has the box and the port of its part. */
  readonly programs?: Programs;
  /** Opens other servers than the embedded PostgreSQL, on the seeded data in the folder. */
  readonly openDatabases?: (folder: string) => Promise<Databases>;
  /** Parts that are left out, because the program of another one does their work. */
  readonly without?: readonly PartName[];
  /** A mail server of the scenario's own, in the place of the catcher, which then does not start. */
  readonly smtpUrl?: string;
  /** Go on where nothing can enforce a limit; `inconclusiveReasons` then says so. */
  readonly soft?: boolean;
  /** Told after each step, with the milliseconds that it took. */
  readonly onProgress?: (step: string, ms: number) => void;
}

export interface Layout {
  readonly kind: LayoutKind;
  readonly addresses: Addresses;
  /** By the name of the box: that of its part, or `nano`. */
  readonly boxes: ReadonlyMap<string, Box>;
  readonly enforcedBy: EnforcedBy;
  /** In the order they start. In one nano `all` is api, mailer and chat. */
  readonly parts: readonly PartName[];
  /** Why this run proves nothing; empty when it may. */
  inconclusiveReasons(): readonly string[];
  /** Workers that died without `kill`, in words, with their last log lines. */
  deaths(): readonly string[];
  /** Of the part's leading process; undefined when it is dead. */
  pid(part: string): number | undefined;
  /** SIGKILL, SIGSTOP and SIGCONT reach all of its processes. After SIGKILL resolves once they are gone. */
  kill(part: string, signal: NodeJS.Signals): Promise<void>;
  /** Starts a part that is dead or, after an orderly stop, one that lives. Resolves when it is ready. */
  restart(part: string): Promise<void>;
  /** In cores, for every box at once: 0.1 is a nano whose credits are gone. */
  setCpus(cpus: number): Promise<void>;
  /** One sample a second: seconds since the layout was up, bytes without the page cache of plain files. */
  memorySamples(): MemorySamples;
  /** Stops the parts in reverse order and removes boxes and data; logs stay. */
  stop(): Promise<void>;
}

/** So that each process knows the whole deployment, and the connections of all of them fit. */
export const INSTANCES: Readonly<Record<LayoutKind, Readonly<Record<string, string>>>> = {
  'nano-each': {},
  'two-each': { API_INSTANCES: '2', CHAT_INSTANCES: '2' },
  'two-mailers': { MAILER_INSTANCES: '2', CHAT_INSTANCES: '0' },
  'one-nano': {},
};

const ROOT = path.resolve(import.meta.dirname, '..', '..');

/** @throws when nothing can enforce a limit (unless `soft`), or a part does not start; nothing then stays behind */
export async function startLayout(options: LayoutOptions): Promise<Layout> {
  const { kind, environment = {}, programs = {}, without = [], onProgress = () => undefined } = options;
  const names = PARTS[kind].filter(
    (part) => !without.includes(part) && !(part === 'mail' && options.smtpUrl !== undefined),
  );
  const folder = path.resolve(options.folder);
  const { driver, refused } = await chooseDriver();
  if (driver.name === 'none' && options.soft !== true) {
    throw new Error(
      `Nothing on this machine can enforce a limit, so nothing can be proved:\n  ${refused.join('\n  ')}`,
    );
  }
  const step = async <T>(label: string, work: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    const result = await work();
    onProgress(label, performance.now() - begun);
    return result;
  };

  await claimFolder(folder);
  const boxes = new Map<string, Box>();
  const running = new Map<PartName, RunningPart>();
  const deaths: string[] = [];
  const killed = new Set<PartName>();
  let databases: Databases | undefined;
  let samples: ReturnType<typeof createMemorySamples> | undefined;

  const stop = async () => {
    samples?.stop();
    for (const part of names.toReversed()) await running.get(part)?.stop();
    await databases?.close();
    for (const box of boxes.values()) await box.close();
    emptyFolder(folder);
    releaseFolder(folder);
  };

  try {
    emptyFolder(folder);
    await step('dist/', () => buildElsewhere(folder));
    await step(`seeded data, scale ${options.seedScale}`, () => putSeededData(folder, options.seedScale));
    await step('boxes', () => createBoxes(kind, names, boxes));
    const wrapOf = await step('programs', () => createWraps(kind, boxes, folder));
    databases = await options.openDatabases?.(folder);
    const parts = await createParts({
      databases,
      root: ROOT,
      folder,
      environment: { ...INSTANCES[kind], ...environment },
      programs,
      smtpUrl: options.smtpUrl,
      wrapOf,
      onDeath(part, message) {
        if (!killed.has(part)) deaths.push(message);
      },
    });
    for (const part of names) {
      await step(part, async () => void running.set(part, await parts.start(part)));
    }
    samples = createMemorySamples(boxes);

    const named = (name: string): PartName => {
      const part = kind === 'one-nano' && ['api', 'mailer', 'chat'].includes(name) ? 'all' : (name as PartName);
      if (!names.includes(part)) throw new Error(`no part ${name}; there are ${names.join(', ')}`);
      return part;
    };
    const pidOf = (name: string): number | undefined => {
      const pid = running.get(named(name))?.pid;
      return pid !== undefined && birthOf(pid) !== undefined ? pid : undefined;
    };

    return {
      kind,
      addresses: parts.addresses(),
      boxes,
      enforcedBy: driver.name,
      parts: names,
      inconclusiveReasons() {
        if (driver.name === 'none') return ['no limit is enforced on this machine'];
        return names.flatMap((part) => {
          const box = boxes.get(boxNameOf(kind, part) ?? '');
          const pid = pidOf(part);
          return box === undefined || pid === undefined ? [] : limitFaults(folder, part, pid, box);
        });
      },
      deaths: () => deaths,
      pid: pidOf,
      async kill(name, signal) {
        const pid = pidOf(name);
        if (pid === undefined) return;
        if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') killed.add(named(name));
        await signalTree([pid, ...(running.get(named(name))?.alsoPids?.() ?? [])], signal);
      },
      async restart(name) {
        const part = named(name);
        await running.get(part)?.stop();
        killed.delete(part);
        running.set(part, await parts.start(part));
      },
      async setCpus(cpus) {
        await Promise.all([...boxes.values()].map((box) => box.setCpus(cpus)));
      },
      memorySamples: samples.read,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** In a process of its own: what the bundler takes of memory goes back when it is done. */
function buildElsewhere(folder: string): Promise<void> {
  const args = [path.join(ROOT, 'scripts', 'build.ts')];
  return runToEnd({ folder, name: 'build', command: process.execPath, args, cwd: ROOT, deadlineMs: BUILD_MS });
}

/** All but the logs and the claim on the folder. */
function emptyFolder(folder: string): void {
  removeStackFolder(folder, ['logs', 'run']);
}

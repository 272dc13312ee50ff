/** Ports of the embedded stack: the usual one, or the next free one if it is in use. */
import { randomInt } from 'node:crypto';
import getPort, { portNumbers } from 'get-port';
import { PROCESSES } from '../../src/processes.ts';

export const USUAL_PORTS = {
  api: PROCESSES.api.port,
  chat: PROCESSES.chat.port,
  mailer: PROCESSES.mailer.port,
  mail: 3025,
  smtp: 2525,
  primary: 5432,
  replica: 5433,
  redis: 6379,
} as const;

export type PortName = keyof typeof USUAL_PORTS;

/** `usual` for people, who remember addresses, `staging` for the second stack beside it; `any` for tests, which run concurrently. */
export type PortChoice = 'usual' | 'staging' | 'any';

/** Staging's usual ports: 13000 for 3000. */
const STAGING_ABOVE = 10_000;

/** How many ports after the usual one to try before taking any free port. */
const NEIGHBOURS_MAX = 40;

export function choosePort(name: PortName, choice: PortChoice): Promise<number> {
  if (choice === 'any') return freePort();
  const above = choice === 'staging' ? STAGING_ABOVE : 0;
  const usual = USUAL_PORTS[name] + above;
  const taken = Object.values<number>(USUAL_PORTS)
    .map((port) => port + above)
    .filter((port) => port !== usual);
  return getPort({ port: portNumbers(usual, usual + NEIGHBOURS_MAX), exclude: taken });
}

/**
 * A free port for a server that listens on it in a moment. It is below those that systems give to outgoing connections
 * (from 32768 on in Linux, 49152 in macOS), one of which would otherwise take it now and then before the server does.
 */
export function freePort(): Promise<number> {
  const from = FREE_FROM + SIDE_BY_SIDE * FREE_EACH;
  const first = randomInt(from, from + FREE_EACH - NEIGHBOURS_MAX);
  return getPort({ port: portNumbers(first, first + NEIGHBOURS_MAX) });
}

const FREE_FROM = 10_000;
const FREE_TO = 32_000;
/** Test files run in several processes, and two of them must not be given one port before a server listens on it. */
const PROCESSES_MAX = 8;
const SIDE_BY_SIDE = Number(process.env['VITEST_POOL_ID'] ?? 0) % PROCESSES_MAX;
const FREE_EACH = Math.floor((FREE_TO - FREE_FROM) / PROCESSES_MAX);

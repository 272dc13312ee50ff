/** Ports of the embedded stack: the usual one, else the next free one, so that a busy machine is no obstacle. */
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

/** `usual` for people, who remember addresses; `any` for tests, which run beside each other. */
export type PortChoice = 'usual' | 'any';

/** How far past the usual port to look before taking whatever the system offers. */
const NEIGHBOURS_MAX = 40;

export function choosePort(name: PortName, choice: PortChoice): Promise<number> {
  if (choice === 'any') return getPort();
  const usual = USUAL_PORTS[name];
  const taken = Object.values<number>(USUAL_PORTS).filter((port) => port !== usual);
  return getPort({ port: portNumbers(usual, usual + NEIGHBOURS_MAX), exclude: taken });
}

/**
 * Clients that mean no good, on raw sockets: each follows its course (attacks.ts) until the server ends it, and comes
 * again. They are from addresses that nobody else has, so that a limit which they use up is theirs.
 */
import { setMaxListeners } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createMeter } from '../load/meter.ts';
import type { Tell } from '../load/plan.ts';
import { createRandom } from '../load/random.ts';
import type { AttackFigures, AttackPlan } from './attack-plan.ts';
import { ATTACK_COURSES, COME_PER_SECOND, type Course } from './attacks.ts';

const READ_EVERY_MS = 1_000;
const NETWORK = '127.66';

export async function runAttack(plan: AttackPlan, _tell: Tell, signal: AbortSignal): Promise<AttackFigures> {
  const { sockets, fromEverywhere = false, course } = ATTACK_COURSES[plan.attack];
  const { hostname, port } = new URL(plan.url);
  const random = createRandom(plan.seed);
  const meter = createMeter({ seconds: plan.seconds, warmUpSeconds: 0 });
  const counts = { connections: 0, openMax: 0, bytesSent: 0, bytesRead: 0 };
  const answers: Record<string, number> = {};
  const open = new Set<Socket>();
  const over = AbortSignal.any([signal, AbortSignal.timeout(plan.seconds * 1000)]);
  setMaxListeners(0, over);

  const pause = (ms: number) => delay(ms, undefined, { signal: over }).catch(() => undefined);

  async function comeAgainAndAgain(nth: number): Promise<void> {
    await pause((1000 * nth) / COME_PER_SECOND);
    for (let time = 0; !over.aborted; time++) {
      // Another turn of its courses each time, or a few sockets would know only a few of them.
      await come(nth, course(nth + time, plan));
      // By chance, as clients that know nothing of each other: with equal pauses, those that the server ends together
      // stay together, and all of them are one burst.
      await pause((random.exponential() * 1000 * sockets) / COME_PER_SECOND);
    }
  }

  async function come(nth: number, given: Course): Promise<void> {
    const onData = (chunk: Uint8Array) => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(Buffer.from(chunk.subarray(0, 12)).toString())?.[1];
      if (status !== undefined) answers[status] = (answers[status] ?? 0) + 1;
      if (given.leaves) socket.destroy();
    };
    const socket = connect({
      host: hostname,
      port: Number(port),
      localAddress: fromEverywhere ? `${NETWORK}.${1 + (nth >> 7)}.${1 + (nth & 127)}` : `${NETWORK}.0.1`,
      allowHalfOpen: given.halfCloses === true,
      ...(given.reads === 'a byte a second' ? { onread: { buffer: Buffer.alloc(1), callback: () => false } } : {}),
    });
    socket.on('error', () => undefined); // `close` follows
    const closed = new Promise((resolve) => socket.once('close', resolve));
    open.add(socket);
    let timer: NodeJS.Timeout | undefined;
    socket.once('connect', () => {
      counts.connections++;
      counts.openMax = Math.max(counts.openMax, open.size);
      if (given.reads === undefined) socket.on('data', onData);
      else timer = given.reads === 'nothing' ? undefined : setInterval(() => socket.resume(), READ_EVERY_MS);
      socket.write(given.first);
      if (given.body !== undefined) socket.write(given.body);
      if (given.halfCloses) socket.end();
      else if (given.drip !== undefined) timer = drip(socket, given.drip);
    });
    await closed;
    clearInterval(timer);
    open.delete(socket);
    counts.bytesSent += socket.bytesWritten;
    counts.bytesRead += socket.bytesRead;
  }

  meter.start();
  over.addEventListener('abort', () => open.forEach((socket) => void socket.destroy()));
  await Promise.all(Array.from({ length: sockets }, (_, nth) => comeAgainAndAgain(nth)));
  meter.windowEnds();
  return { ...meter.figures(), ...counts, answers };
}

function drip(socket: Socket, { piece, everyMs }: NonNullable<Course['drip']>): NodeJS.Timeout {
  return setInterval(() => {
    if (socket.writable && !socket.writableNeedDrain) socket.write(piece);
  }, everyMs);
}

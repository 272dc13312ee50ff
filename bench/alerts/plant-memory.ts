/** Faults in the box of the spare instance, which no user's request goes to. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { REPORT_EVERY_MS } from '../../src/limits.ts';
import type { Layout } from '../layout/layout.ts';
import { type FaultContext, NOTHING } from './planted-alert.ts';

export const SPARE = 'chat-2';

const MB = 2 ** 20;
const OOM_WITHIN_MS = 30_000;
const PIECE_BYTES = 2 * MB; // of one process, which takes about 30 MB itself: small, or the last one is one too many

/** Fills the box, piece by piece, until the instance itself has reported this share of its limit. */
export async function eatMemory({ layout }: Pick<FaultContext, 'layout'>, share: number): Promise<() => void> {
  const redis = new Redis(layout.addresses.redisUrl);
  const stops: (() => void)[] = [];
  try {
    while ((await reportedShare(redis, layout.pid(SPARE))) < share) {
      stops.push(runInBox(layout, eater(PIECE_BYTES)));
      await sleep(REPORT_EVERY_MS);
    }
  } finally {
    redis.disconnect();
  }
  return () => stops.forEach((stop) => void stop());
}

/** Of the memory that a process may have; it leaves that in Redis with each report (src/redis/deaths.ts). */
async function reportedShare(redis: Redis, pid: number | undefined): Promise<number> {
  const lives = Object.values(await redis.hgetall('tardigrade:lives')).map((text) => JSON.parse(text));
  const own = lives.find((life) => life.pid === pid);
  return own === undefined ? 0 : own.usedBytes / own.limitBytes;
}

/** The kernel kills the instance for the memory of its box, and it is started again. */
export async function provokeOutOfMemory({ layout }: FaultContext): Promise<() => unknown> {
  const stop = await eatMemory({ layout }, 0.88);
  const pid = layout.pid(SPARE);
  // The kernel takes it, and not the greater one beside it.
  writeFileSync(`/proc/${pid}/oom_score_adj`, '900');
  const more = runInBox(layout, eater(120 * MB));
  const deadline = performance.now() + OOM_WITHIN_MS;
  while (layout.pid(SPARE) === pid && performance.now() < deadline) await sleep(100);
  more();
  stop();
  await layout.kill(SPARE, 'SIGKILL'); // nothing is left of it
  await layout.restart(SPARE);
  return NOTHING;
}

/** It has a fifth of a CPU, and something beside it that wants all of it. */
export async function takeCpu({ layout }: FaultContext): Promise<() => unknown> {
  await layout.boxes.get(SPARE)?.setCpus(0.2);
  const stop = runInBox(layout, 'for (;;);');
  return async () => {
    stop();
    await layout.boxes.get(SPARE)?.setCpus(2);
  };
}

/** A program that takes so much and keeps it. */
function eater(bytes: number): string {
  return `
    const eaten = Buffer.alloc(${Math.max(0, Math.round(bytes))}, 1);
    setInterval(() => eaten.length, 1000);`;
}

function runInBox(layout: Layout, program: string): () => void {
  const box = layout.boxes.get(SPARE);
  if (box === undefined) throw new Error(`${SPARE} has no box`);
  const { command, args } = box.wrap(process.execPath, ['-e', program]);
  const child = spawn(command, args, { stdio: 'ignore' });
  return () => void child.kill('SIGKILL');
}

import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { NANO_BYTES, SOCKETS_MAX } from '../../../src/limits.ts';
import { heapFlags } from '../../../src/process/memory-limit.ts';
import { type Layout, startLayout } from '../../layout/layout.ts';
import { type RunningLoad, startLoad } from '../../load/start-load.ts';
import { round } from '../../numbers.ts';
import type { OwnLayoutContext, OwnLayoutFindings, OwnLayoutScenario } from '../../scenarios/scenario.ts';
import { descriptorsMax } from './idle-sockets/descriptors.ts';
import {
  ADDRESSES,
  CONNECT_PER_SECOND,
  CONNECT_WAIT_MS,
  DESCRIPTORS_SPARE,
  GLANCE_MS,
  LEVELS,
  SAMPLE_MS,
  SHARE_MIN,
  STALL_LEVEL,
  STALL_MS_MAX,
  WATCHED_MS,
} from './idle-sockets/limits.ts';
import { type ProcessFigures, processFigures } from './idle-sockets/process-figures.ts';
import { heldBy, perSocket, type Reading, readingsTable, SIDES, type SideName } from './idle-sockets/readings.ts';
import { loopbackAddresses } from './loopback-addresses.ts';
import { SOCKETS, type SocketFigures, type SocketsPlan } from './sockets-plan.ts';
import { inviteEverywhere } from './twenty-times/invite-everywhere.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..');
const BARE = path.join(import.meta.dirname, 'idle-sockets', 'bare.ts');
const COLLECT = path.join(import.meta.dirname, 'idle-sockets', 'collect-on-signal.ts');
const HOLD_SECONDS = 3_600; // until they are stopped
const PARTS = { chat: 'chat', 'bare ws': 'chat-2' } as const;

/** People who have the chat open and say nothing, on the product and on ws alone, each in a box of its own. */
export const idleSockets: OwnLayoutScenario = {
  name: 'idle-sockets',
  promise: 'idle-sockets',
  line: `the chat holds at least ${SHARE_MIN} times the idle sockets of bare ws in the same box, up to the limit of descriptors; no stall of the event loop over ${STALL_MS_MAX} ms at 10,000`,
  profile: 'full',

  async run(context) {
    const layout = await startLayout({
      kind: 'two-each',
      seedScale: 1,
      folder: path.join(ROOT, '.tardigrade', 'bench', 'idle-sockets'),
      soft: context.soft,
      without: ['mail', 'replica', 'mailer', 'api', 'api-2'],
      programs: { 'chat-2': [...heapFlags({ bytes: NANO_BYTES, source: 'container' }), BARE] },
      environment: { SOCKETS_PER_ADDRESS: String(SOCKETS_MAX), NODE_OPTIONS: `--import=${COLLECT}` },
    });
    try {
      // Known to the run, but not watched: whoever reads a process's metrics takes the longest stall with them.
      context.watch(layout);
      context.watch(undefined);
      return await climb(context, layout);
    } finally {
      await layout.stop();
    }
  },
};

interface Side {
  readonly name: SideName;
  readonly part: 'chat' | 'chat-2';
  readonly url: string;
}

async function climb(context: OwnLayoutContext, layout: Layout): Promise<OwnLayoutFindings> {
  const { profile, say } = context;
  const descriptors = descriptorsMax();
  const levels = LEVELS[profile].map((level) => Math.min(level, descriptors - DESCRIPTORS_SPARE));
  const sides = SIDES.map(
    (name, nth): Side => ({ name, part: PARTS[name], url: layout.addresses.chats[nth] as string }),
  );
  const tokens = await invite(layout, levels.at(-1) as number);
  const holding: RunningLoad<SocketFigures>[] = [];
  /** Of generators, without which a level has fewer sockets than it says. */
  let faults: string[] = [];
  const readings = await readAll(layout, sides, 0, GLANCE_MS);
  try {
    let open = 0;
    for (const [nth, level] of levels.entries()) {
      // By turns, so that a slow moment of the machine is not always the same one's.
      for (const { url } of nth % 2 === 0 ? sides : sides.toReversed())
        holding.push(await connect(context, url, tokens.slice(open, level)));
      open = level;
      const counts = level === STALL_LEVEL[profile] || nth === levels.length - 1;
      readings.push(...(await readAll(layout, sides, level, counts ? WATCHED_MS[profile] : GLANCE_MS)));
    }
  } finally {
    for (const load of holding) load.stop();
    const ended = await Promise.allSettled(holding.map(({ figures }) => figures));
    faults = ended.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []));
  }
  say(`\n${readingsTable(readings)}\n`);
  return findings(layout, readings, STALL_LEVEL[profile], descriptors, faults);
}

function findings(
  layout: Layout,
  readings: readonly Reading[],
  stallLevel: number,
  descriptors: number,
  faults: readonly string[],
): OwnLayoutFindings {
  const [chat, bare] = SIDES.map((side) => heldBy(side, readings)) as [number, number];
  const [ours, theirs] = SIDES.map((side) => perSocket(side, stallLevel, readings));
  const [stall, theirStall] = SIDES.map((side) =>
    round(readings.find((reading) => reading.side === side && reading.level === stallLevel)?.stallMs ?? Number.NaN),
  ) as [number, number];
  const share = round(chat / bare, 2);
  const boxMb = (side: SideName) =>
    Math.max(...readings.filter((one) => one.side === side).map(({ boxBytes }) => boxBytes)) / 2 ** 20;
  return {
    inconclusive: [...layout.inconclusiveReasons(), ...faults],
    conditions: [
      {
        says: `at least ${SHARE_MIN} times the sockets of bare ws (${share}: ${chat} and ${bare})`,
        holds: share >= SHARE_MIN,
      },
      {
        says: `no stall over ${STALL_MS_MAX} ms with ${stallLevel} sockets (${stall} ms; bare ws ${theirStall} ms)`,
        holds: stall <= STALL_MS_MAX,
      },
      ...layout.deaths().map((death) => ({ says: `no process dies (${death.split('\n')[0]})`, holds: false })),
    ],
    figures: {
      share,
      ...{ sockets: chat, bareSockets: bare, stallMs: stall, bareStallMs: theirStall },
      ...{ heapBytesPerSocket: ours?.heapBytes ?? 0, bareHeapBytesPerSocket: theirs?.heapBytes ?? 0 },
      ...{ rssBytesPerSocket: ours?.rssBytes ?? 0, bareRssBytesPerSocket: theirs?.rssBytes ?? 0 },
      ...{ boxBytesPerSocket: ours?.boxBytes ?? 0, bareBoxBytesPerSocket: theirs?.boxBytes ?? 0 },
      ...{ boxMb: Math.round(boxMb('chat')), bareBoxMb: Math.round(boxMb('bare ws')), descriptorsMax: descriptors },
    },
    boxes: Object.fromEntries([...layout.boxes].map(([name, box]) => [name, box.figures()])),
    memory: layout.memorySamples(),
  };
}

async function invite({ addresses }: Layout, people: number): Promise<string[]> {
  const database = new Client({ connectionString: addresses.databaseUrl, application_name: 'bench-idle-sockets' });
  await database.connect();
  return inviteEverywhere(database, addresses.secretKey, people).finally(() => database.end());
}

/** Resolves when all are in, or when no more get in. */
async function connect({ onSample }: OwnLayoutContext, url: string, tokens: readonly string[]) {
  const connectSeconds = tokens.length / CONNECT_PER_SECOND;
  const plan: SocketsPlan = {
    kind: SOCKETS,
    url,
    tokens,
    connectSeconds,
    mode: 'hold',
    pace: { kind: 'think', minMs: 1_000, maxMs: 2_000 },
    seconds: HOLD_SECONDS,
    seed: 8,
    addresses: loopbackAddresses(ADDRESSES),
  };
  const load = startLoad(plan, onSample);
  await Promise.race([load.event('connected'), delay(connectSeconds * 1000 + CONNECT_WAIT_MS)]);
  return load;
}

/** All sides at the same time, for a while. */
function readAll(layout: Layout, sides: readonly Side[], level: number, ms: number): Promise<Reading[]> {
  return Promise.all(sides.map((side) => read(layout, side, level, ms)));
}

async function read(layout: Layout, { name, part, url }: Side, level: number, ms: number): Promise<Reading> {
  const none: ProcessFigures = { sockets: 0, rssBytes: 0, heapBytes: 0, stallMs: 0 };
  const boxBytes = () => layout.boxes.get(part)?.usedBytes() ?? 0;
  try {
    await processFigures(url); // what was before does not count
    let stallMs = 0;
    let last = none;
    for (const endsAt = performance.now() + ms; performance.now() < endsAt; ) {
      await delay(SAMPLE_MS);
      last = await processFigures(url);
      stallMs = Math.max(stallMs, last.stallMs);
    }
    const held = boxBytes();
    const pid = layout.pid(part);
    if (pid !== undefined) process.kill(pid, 'SIGUSR2');
    const { heapBytes } = await processFigures(url);
    return { ...last, stallMs, heapBytes, boxBytes: held, side: name, level, death: '' };
  } catch (error) {
    return { ...none, boxBytes: boxBytes(), side: name, level, death: `dead: ${(error as Error).message}` };
  }
}

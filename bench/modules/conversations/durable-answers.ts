import path from 'node:path';
import { Client } from 'pg';
import { NANO_BYTES } from '../../../src/limits.ts';
import { heapFlags } from '../../../src/process/memory-limit.ts';
import { type Layout, startLayout } from '../../layout/layout.ts';
import type { OwnLayoutContext, OwnLayoutFindings, OwnLayoutScenario } from '../../scenarios/scenario.ts';
import type { Block, BlockFigures } from './durable-answers/answer-loop.ts';
import { type Compared, compare, comparedTable } from './durable-answers/compare.ts';
import {
  BLOCK_ANSWER_MS,
  CELLS,
  COUNTED_SECONDS,
  PEOPLE,
  RATIO_MIN,
  WARM_UP_SECONDS,
} from './durable-answers/limits.ts';
import { addOrganisations, inviteAll, storedAnswers } from './durable-answers/organisations.ts';
import type { Way } from './durable-answers/ways.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '..', '..', '.tardigrade', 'bench', 'durable-answers');
const PROGRAM = path.join(import.meta.dirname, 'durable-answers', 'program.ts');
const SEED_SCALE = 0.1;
/** A slow moment of the machine, and data that grows, fall on both. */
const ORDER: readonly Way[] = ['grouped', 'single', 'single', 'grouped'];

/** The answers of many people who answer as fast as they are acknowledged: in shared commits, and in one each. */
export const durableAnswers: OwnLayoutScenario = {
  name: 'durable-answers',
  promise: 'durable-answers',
  line: `with 100, 1,000 and 5,000 people answering at once, in one organisation and in ten, at least ${RATIO_MIN} times the acknowledged answers a second of one transaction per answer, and none refused`,
  profile: 'full',

  async run(context) {
    const layout = await startLayout({
      kind: 'nano-each',
      seedScale: SEED_SCALE,
      folder: FOLDER,
      soft: context.soft,
      without: ['mail', 'replica', 'mailer', 'api'],
      programs: { chat: [...heapFlags({ bytes: NANO_BYTES, source: 'container' }), PROGRAM] },
    });
    const database = new Client({ connectionString: layout.addresses.databaseUrl, application_name: 'bench-answers' });
    try {
      context.watch(layout);
      await database.connect();
      return await compareAll(context, layout, database);
    } finally {
      context.watch(undefined);
      await database.end();
      await layout.stop();
    }
  },
};

async function compareAll(context: OwnLayoutContext, layout: Layout, database: Client): Promise<OwnLayoutFindings> {
  const { profile, say } = context;
  const organisations = new Map<number, readonly number[]>();
  for (const count of new Set(CELLS[profile].map((cell) => cell.organisations)))
    organisations.set(count, await addOrganisations(database, count, PEOPLE[profile]));
  await database.query('vacuum analyze');
  const all: Compared[] = [];
  let [acknowledged, stored, ranOut] = [0, 0, false];
  for (const cell of CELLS[profile]) {
    const blocks: [Way, BlockFigures][] = [];
    for (const way of ORDER) {
      const { keys, campaignIds } = await inviteAll(database, organisations.get(cell.organisations) ?? []);
      const times = { warmUpSeconds: WARM_UP_SECONDS[profile], countedSeconds: COUNTED_SECONDS[profile] };
      const figures = await runBlock(layout.addresses.chat, way, { ...times, conversations: cell.conversations, keys });
      blocks.push([way, figures]);
      acknowledged += figures.acknowledged;
      stored += await storedAnswers(database, campaignIds);
      ranOut ||= figures.ranOut;
    }
    all.push(compare(cell, blocks));
  }
  say(`\n${comparedTable(all)}\n`);
  const lost = acknowledged - stored;
  return {
    inconclusive: [
      ...layout.inconclusiveReasons(),
      ...(ranOut ? ['all conversations were used up before the time was'] : []),
    ],
    conditions: [
      ...all.map(({ conversations, organisations: count, ratio, ways }) => ({
        says: `${conversations} people in ${count} organisation${count === 1 ? '' : 's'}: ${ratio} times (${ways.grouped.perSecond} against ${ways.single.perSecond} a second), at least ${RATIO_MIN}`,
        holds: ratio >= RATIO_MIN,
      })),
      ...all.map(({ conversations, ways: { grouped } }) => ({
        says: `none of ${conversations} is refused (${grouped.refused}: ${grouped.refusal})`,
        holds: grouped.refused === 0,
      })),
      { says: `every acknowledged answer is in the database (${stored} of ${acknowledged})`, holds: lost === 0 },
    ],
    figures: {
      ratioMin: Math.min(...all.map(({ ratio }) => ratio)),
      lost,
      ...Object.fromEntries(all.flatMap(figuresOf)),
    },
    boxes: Object.fromEntries([...layout.boxes].map(([name, box]) => [name, box.figures()])),
    memory: layout.memorySamples(),
  };
}

function figuresOf({ conversations, organisations, ways, ratio }: Compared): [string, number | string][] {
  const name = `${conversations} in ${organisations}`;
  return [
    [`${name}: ratio`, ratio],
    ...Object.entries(ways).map(([way, { perSecond, p50Ms, p99Ms, refused }]): [string, string] => [
      `${name}: ${way}`,
      `${perSecond}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms, ${refused} refused`,
    ]),
  ];
}

async function runBlock(url: string, way: Way, block: Block): Promise<BlockFigures> {
  const ms = (block.warmUpSeconds + block.countedSeconds) * 1000 + BLOCK_ANSWER_MS;
  const answer = await fetch(url, {
    method: 'POST',
    body: JSON.stringify({ way, block }),
    signal: AbortSignal.timeout(ms),
  });
  return (await answer.json()) as BlockFigures;
}

import { describe, expect, test } from 'vitest';
import type { Climbed } from '../../../bench/modules/conversations/twenty-times/climb.ts';
import { ladderTable } from '../../../bench/modules/conversations/twenty-times/ladder-table.ts';
import { brokenOf } from '../../../bench/modules/conversations/twenty-times/level.ts';
import { RUNGS } from '../../../bench/modules/conversations/twenty-times/rungs.ts';
import { searchHeld } from '../../../bench/modules/conversations/twenty-times/search.ts';
import { loadBenches } from '../../../bench/modules.ts';
import { allScenarios } from '../../../bench/scenarios/all.ts';
import type { LoadFigures } from '../../../bench/types.ts';

describe('the search for what is held', () => {
  interface Options {
    readonly first?: number;
    readonly max?: number;
    readonly levels?: number;
    readonly narrowing?: number;
  }
  const search = async (limit: number, options: Options = {}) => {
    const { first = 400, max = 20_000, levels = 20, narrowing = levels } = options;
    const tried: number[] = [];
    const found = await searchHeld(
      async (users) => {
        tried.push(users);
        return users <= limit;
      },
      { first, max, mayGoOn: (count, isNarrowing) => count < (isNarrowing ? narrowing : levels) },
    );
    return { ...found, tried };
  };

  test.each([30, 399, 400, 1_700, 9_999, 19_000])('comes close to a limit of %i from below', async (limit) => {
    const { held, notHeld = 0 } = await search(limit);
    expect(held).toBeLessThanOrEqual(limit);
    expect(notHeld).toBeGreaterThan(limit);
    expect(notHeld / held).toBeLessThan(1.2);
  });

  test('doubles until it breaks, halves until it holds, then takes the middle', async () => {
    expect((await search(1_000)).tried.slice(0, 4)).toEqual([400, 800, 1_600, 1_100]);
    expect((await search(150)).tried.slice(0, 4)).toEqual([400, 200, 100, 140]);
  });

  test('stops at the highest number that is tried, and says that nothing broke', async () => {
    const { held, notHeld, tried } = await search(1e9, { max: 1_500 });
    expect({ held, notHeld, tried }).toEqual({ held: 1_500, notHeld: undefined, tried: [400, 800, 1_500] });
  });

  test('ends when its time is up, with what it knows by then', async () => {
    expect(await search(1_000, { levels: 3 })).toMatchObject({ held: 800, notHeld: 1_600 });
    expect(await search(10, { levels: 2 })).toEqual({ held: 0, notHeld: 200, tried: [400, 200] });
    // Doubling may take longer than taking the middle.
    expect(await search(5_000, { levels: 6, narrowing: 3 })).toMatchObject({ held: 3_200, notHeld: 6_400 });
  });
});

describe('the ladder', () => {
  test('begins with one process that does everything, and ends with the product itself', () => {
    const [first, last] = [RUNGS[0]?.layout, RUNGS.at(-1)?.layout];
    expect(first?.without).toEqual(['mailer', 'chat']);
    expect(first?.programs?.api?.slice(-2)).toEqual(['--parts=api,chat,mailer', '--steps=']);
    expect(last?.programs).toBeUndefined();
    expect(last?.without).toEqual(['api-2']);
  });

  test('no rung is like another one', () => {
    const layouts = RUNGS.map(({ layout }) => JSON.stringify(layout));
    expect(new Set(layouts).size).toBe(RUNGS.length);
  });

  test('each step of the usual way is taken once, and kept until the product takes its place', () => {
    const stepsOf = (part: 'api' | 'chat') =>
      RUNGS.map(({ layout }) => layout.programs?.[part]?.at(-1)?.replace('--steps=', '')).filter(
        (steps) => steps !== undefined,
      );
    expect([...new Set(stepsOf('api'))]).toEqual(['', 'replica', 'replica,pages', 'replica,pages,groups']);
    expect(stepsOf('chat').at(-1)).toBe('replica,pages,groups');
  });

  test('takes part in full runs only', async () => {
    const { ownLayout } = await allScenarios(await loadBenches());
    const scenario = ownLayout.find(({ name }) => name === 'twenty-times');
    expect(scenario).toMatchObject({ promise: 'twenty-times', profile: 'full' });
    expect(scenario?.gates).toBeUndefined();
  });
});

const LATENCY = { count: 100, p50Ms: 5, p90Ms: 5, p95Ms: 5, p99Ms: 5, p999Ms: 5, maxMs: 5, histogram: '' };
const LOAD: LoadFigures = {
  offeredPerSecond: 10,
  achievedPerSecond: 10,
  latency: LATENCY,
  byRoute: {},
  refusals: LATENCY,
  failed: 0,
  statuses: { 200: 100 },
  wrong: 0,
  wrongSamples: [],
  inFlightMax: 0,
  inFlightPerSecond: [],
  lateStartP99Ms: 0,
  dropped: 0,
  generatorElu: 0,
  perSecond: [],
};
const CHAT = {
  ...LOAD,
  ...{ clients: 100, connectedMax: 100, lostConnections: 0, refusedConnections: 0, refusedLinks: 0 },
  ...{ acknowledged: 100, finished: 0, back: LATENCY, neverBack: 0 },
};
const GOOD = {
  users: 100,
  chats: [CHAT],
  day: LOAD,
  ackP99Ms: 900,
  dashboardP95Ms: 400,
  mailsPerSecond: 60,
  deaths: [],
};

describe('the service level', () => {
  test('is held when everything is within its limit', () => {
    expect(brokenOf(GOOD)).toEqual([]);
  });

  test.each([
    ['ack p99 1001 ms', { ackP99Ms: 1_001 }],
    ['dashboard p95 501 ms', { dashboardP95Ms: 501 }],
    ['49 mails a second', { mailsPerSecond: 49 }],
    ['99 of 100 users got in', { chats: [{ ...CHAT, connectedMax: 99 }] }],
    ['api died (signal SIGKILL)', { deaths: ['api died (signal SIGKILL)\nits log'] }],
    ['dashboard: 0 refused, 1 failed', { day: { ...LOAD, statuses: { 200: 99, 500: 1 } } }],
    ['chat: 1 refused, 0 failed', { chats: [{ ...CHAT, statuses: { 200: 99, 503: 1 } }] }],
    ['chat: 80 % answered in time', { chats: [{ ...CHAT, achievedPerSecond: 8 }] }],
    ['dashboard: 1 wrong (not so)', { day: { ...LOAD, wrong: 1, wrongSamples: ['not so'] } }],
  ])('is broken by: %s', (says, change) => {
    expect(brokenOf({ ...GOOD, ...change })).toEqual([says]);
  });

  test('names the worst first', () => {
    expect(brokenOf({ ...GOOD, ackP99Ms: 1_500, dashboardP95Ms: 2_000 })).toEqual([
      'dashboard p95 2000 ms',
      'ack p99 1500 ms',
    ]);
  });
});

test('the table says what was held, what broke first, and where the generator was the limit', () => {
  const rung = {
    ...{ rung: 'lists in pages', users: 1_600, isAtLeast: true, broke: 'ack p99 1500 ms', answersPerSecond: 158 },
    ...{ ackP99Ms: 320, dashboardP95Ms: 40, mailsPerSecond: 210, peakMb: 131, peakOf: 'chat', oomKills: 2, lost: 0 },
    ...{ levels: [], faults: [] },
  } satisfies Climbed;
  const level = {
    ...{ users: 25, held: false, broke: [], generator: [], answersPerSecond: 2, ackP99Ms: 9, dashboardP95Ms: 700 },
    mailsPerSecond: 60,
  };
  expect(ladderTable([rung]).split('\n').at(-1)).toBe(
    '| lists in pages | at least 1,600 | ack p99 1500 ms | 158 | 320 ms | 40 ms | 210 | 131 MB (chat), killed 2 times |',
  );
  const none = { ...rung, users: 0, isAtLeast: false, levels: [{ ...level, users: 50 }, level] };
  expect(ladderTable([none])).toContain('| lists in pages | fewer than 25 |');
});

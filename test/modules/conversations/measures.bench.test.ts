import { describe, expect, test } from 'vitest';
import { createHistogram, latencyFigures, recordMs } from '../../../bench/load/latency.ts';
import { createRandom } from '../../../bench/load/random.ts';
import {
  answerForAWhile,
  type BlockFigures,
} from '../../../bench/modules/conversations/durable-answers/answer-loop.ts';
import { compare, comparedTable } from '../../../bench/modules/conversations/durable-answers/compare.ts';
import { QUESTIONS } from '../../../bench/modules/conversations/durable-answers/limits.ts';
import { frameHead } from '../../../bench/modules/conversations/flood.ts';
import { descriptorsMax } from '../../../bench/modules/conversations/idle-sockets/descriptors.ts';
import { parseProcessFigures } from '../../../bench/modules/conversations/idle-sockets/process-figures.ts';
import {
  heldBy,
  perSocket,
  type Reading,
  readingsTable,
} from '../../../bench/modules/conversations/idle-sockets/readings.ts';
import { loopbackAddresses } from '../../../bench/modules/conversations/loopback-addresses.ts';
import { politeManners, rudeManners } from '../../../bench/modules/conversations/socket-client.ts';
import { loadBenches } from '../../../bench/modules.ts';
import { allScenarios } from '../../../bench/scenarios/all.ts';
import type { Answered, AnswerQuestion } from '../../../src/modules/conversations/answers.ts';
import { BACKOFF_MS, WELCOME_WAIT_MS } from '../../../web/modules/conversations/protocol.js';

describe('people who answer as fast as they are acknowledged', () => {
  const KEYS = Array.from({ length: 40 }, (_, n) => ({ orgId: 1, reachOutId: n }));
  const block = (conversations: number, keys = KEYS) => ({
    ...{ conversations, keys, warmUpSeconds: 0, countedSeconds: 0.05 },
  });
  const stored: Answered = { seq: 2, messages: [], finished: false };

  test('each answers one question after the other, and then goes on with another conversation', async () => {
    const given: string[] = [];
    const answer: AnswerQuestion = async ({ reachOutId }, { questionSeq, nonce }) => {
      given.push(`${reachOutId}/${questionSeq}/${nonce}`);
      return stored;
    };
    const figures = await answerForAWhile(answer, block(1, KEYS.slice(0, 2)));
    expect(given).toHaveLength(2 * QUESTIONS);
    expect(given.slice(0, 3)).toEqual(['0/1/n0', '0/3/n1', '0/5/n2']);
    expect(given[QUESTIONS]).toBe('1/1/n0');
    expect(figures).toMatchObject({ acknowledged: 2 * QUESTIONS, refused: 0, ranOut: true });
  });

  test('whoever is refused gives up, is counted, and says why', async () => {
    const answer: AnswerQuestion = async () => {
      throw new Error('Too many answers at once.');
    };
    const figures = await answerForAWhile(answer, block(5));
    expect(figures).toMatchObject({ acknowledged: 0, refused: 5, refusal: 'Too many answers at once.' });
  });
});

describe('the comparison of the two ways', () => {
  const blockOf = (perSecond: number, ms: readonly number[], refused = 0): BlockFigures => {
    const latency = createHistogram();
    for (const one of ms) recordMs(latency, one);
    return {
      ...{ perSecond, refused, acknowledged: ms.length, ranOut: false, refusal: refused > 0 ? 'full' : '' },
      latency: latencyFigures(latency),
    };
  };
  const cell = { organisations: 10, conversations: 1_000 };

  test('takes the mean of the rates, and the percentiles of all latencies together', () => {
    const compared = compare(cell, [
      ['grouped', blockOf(3_000, [1, 1, 1])],
      ['single', blockOf(1_000, [10, 10])],
      ['single', blockOf(1_000, [20, 20])],
      ['grouped', blockOf(5_000, [9], 2)],
    ]);
    expect(compared.ratio).toBe(4);
    expect(compared.ways.grouped).toMatchObject({ perSecond: 4_000, p50Ms: 1, refused: 2, refusal: 'full' });
    expect(compared.ways.grouped.p99Ms).toBeCloseTo(9, 1);
    expect(compared.ways.single.p50Ms).toBeCloseTo(10, 1);
    expect(comparedTable([compared])).toContain('| 1,000 | 10 | 4,000/s, 2 refused |');
  });
});

describe('the readings of idle sockets', () => {
  const reading = (side: Reading['side'], level: number, sockets: number, bytes: number, death = ''): Reading => ({
    ...{ side, level, sockets, death, stallMs: 3.14 },
    ...{ boxBytes: 10 * bytes, rssBytes: 5 * bytes, heapBytes: bytes },
  });
  const readings = [
    reading('chat', 0, 0, 1_000),
    reading('bare ws', 0, 0, 500),
    reading('chat', 100, 100, 21_000),
    reading('bare ws', 100, 100, 10_500),
    reading('chat', 200, 0, 0, 'dead: killed'),
    reading('bare ws', 200, 180, 20_000),
  ];

  test('held is what was open at the end of the best level', () => {
    expect([heldBy('chat', readings), heldBy('bare ws', readings)]).toEqual([100, 180]);
  });

  test('a socket is charged what came on top of an empty process', () => {
    expect(perSocket('chat', 100, readings)).toEqual({ boxBytes: 2_000, rssBytes: 1_000, heapBytes: 200 });
    expect(perSocket('chat', 200, readings).heapBytes).toBe(0);
  });

  test('the table says which side died', () => {
    expect(readingsTable(readings)).toContain('| 200 | chat | dead: killed |');
  });

  test('figures come from the text that Prometheus reads, without the resolution of the clock', () => {
    const text = [
      '# HELP tardigrade_sockets Open WebSocket connections',
      'tardigrade_sockets{process="chat"} 12',
      'tardigrade_sockets_strangers{process="chat"} 3',
      'process_resident_memory_bytes 1024',
      'nodejs_heap_size_used_bytes{process="chat"} 512',
      'nodejs_eventloop_lag_max_seconds{process="chat"} 0.0523',
    ].join('\n');
    const figures = parseProcessFigures(text);
    expect(figures).toMatchObject({ sockets: 12, rssBytes: 1_024, heapBytes: 512 });
    expect(figures.stallMs).toBeCloseTo(42.3, 5);
    expect(parseProcessFigures('nodejs_eventloop_lag_max_seconds NaN').stallMs).toBe(0);
  });

  test('the limit of descriptors is the hard one', () => {
    const line = (hard: string) =>
      `Limit  Soft Limit  Hard Limit  Units\nMax open files            1024      ${hard}  files\n`;
    expect(descriptorsMax(line('20000'))).toBe(20_000);
    expect(descriptorsMax(line('unlimited'))).toBe(Number.POSITIVE_INFINITY);
  });
});

test('each address of the loopback network is another one, and none is that of the servers', () => {
  const addresses = loopbackAddresses(600);
  expect(new Set(addresses).size).toBe(600);
  expect(addresses.every((address) => /^127\.0\.[1-3]\.([1-9]|[1-9]\d|1\d\d|2[0-4]\d|250)$/.test(address))).toBe(true);
});

test('frames of a flood are as long as their heads say', () => {
  expect([...frameHead(9, 0)]).toEqual([0x89, 0x80, 0, 0, 0, 0]);
  expect([...frameHead(1, 1024 * 1024)]).toEqual([0x81, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0]);
});

test('a rude client waits for an answer like a polite one, and never for anything else', () => {
  const waits: number[] = [];
  const { environment, triesMax } = rudeManners(createRandom(1), undefined, (_run, ms) => waits.push(ms));
  for (const ms of [WELCOME_WAIT_MS, BACKOFF_MS.max - 1, 1]) environment.startTimer?.(() => undefined, ms);
  expect(waits).toEqual([WELCOME_WAIT_MS, 100, 100]);
  expect(triesMax).toBe(Number.POSITIVE_INFINITY);
  expect(politeManners(createRandom(1)).environment.startTimer).toBeUndefined();
});

test.each(['idle-sockets', 'durable-answers', 'two-windows', 'floods', 'storms'])(
  '%s takes part in full runs, and gates nothing: its figures are times',
  async (name) => {
    const { ownLayout, nanoEach } = await allScenarios(await loadBenches());
    const scenario = [...ownLayout, ...nanoEach].find((one) => one.name === name);
    expect(scenario).toMatchObject({ promise: name, profile: 'full' });
    expect(scenario?.gates).toBeUndefined();
  },
);

import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import pLimit from 'p-limit';
import type { Db } from '../../../src/db/schema.ts';
import { createRandom, type Random } from '../../load/random.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';
import type { Line } from './lines.ts';

/** Resolves with the line's number, which is its acknowledgement. */
type Twin = { storeLine(db: Db, line: Line): Promise<number> };
type Input = { readonly senders: number; readonly isCut: boolean };

const SENDERS = 200;
const LINES = 10;
const CONNECTIONS = 8;
/** Of so many tries one is cut off before its acknowledgement arrives. */
const CUT_ONE_OF = 4;
const SEED = 13;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/idempotent-message.ts',
  withoutIt: 'a message that is sent again after a lost connection is stored twice',
  asks: `${SENDERS} senders write ${LINES} lines each; one of ${CUT_ONE_OF} connections breaks before the acknowledgement, and the line is sent again.`,
  breaks: 'lines are stored twice',
  holds: 'every line is stored once, and acknowledged with the number that it has, however often it is sent',
  headline: ({ twice = 0 }) =>
    `${twice.toLocaleString('en')} of ${(SENDERS * LINES).toLocaleString('en')} messages stored twice`,
  small: { senders: 10, isCut: false },
  full: { senders: SENDERS, isCut: true },

  arrange: ({ databaseUrl }, { senders }) =>
    runSql(databaseUrl, `insert into channels select n from generate_series(1, ${senders}) n; analyze channels`),

  async perform({ storeLine }, { senders, isCut }, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, CONNECTIONS);
    const atOnce = pLimit(CONNECTIONS * 2);
    const random = createRandom(SEED);
    const acknowledged = new Map<string, number[]>();
    const begun = performance.now();
    await Promise.all(
      Array.from({ length: senders }, (_, nth) =>
        atOnce(() => writeAll(nth + 1, (line) => storeLine(db, line), isCut ? random : undefined, acknowledged)),
      ),
    );
    const seconds = (performance.now() - begun) / 1000;
    const { rows } = await sql<{ channel: number; seq: number; text: string }>`
      select channel_id as channel, seq, text from lines order by channel_id, seq`.execute(db);
    await close();
    const placesOf = Map.groupBy(rows, ({ channel, text }) => `${channel}/${text}`);
    const twice = [...placesOf.values()].filter((places) => places.length > 1).length;
    const wrongSeqs = [...acknowledged].filter(([line, seqs]) =>
      seqs.some((seq) => placesOf.get(line)?.some((place) => place.seq !== seq) ?? true),
    ).length;
    const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    return { digest, figures: { twice, wrongSeqs, lines: placesOf.size, seconds } };
  },

  isBroken: ({ figures }) => (figures.twice ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' && figures.twice === 0 && figures.wrongSeqs === 0 && figures.lines === SENDERS * LINES,
};

/** One sender: each line until it is acknowledged, and then the next. The number of a try that was cut off comes too. */
async function writeAll(
  channel: number,
  send: (line: Line) => Promise<number>,
  cuts: Random | undefined,
  acknowledged: Map<string, number[]>,
): Promise<void> {
  const tries: Promise<unknown>[] = [];
  for (let nth = 1; nth <= LINES; nth++) {
    const line: Line = { channel, nonce: `nonce ${nth}`, text: `line ${nth}` };
    for (let isAcknowledged = false; !isAcknowledged; ) {
      const stored = send(line).then((seq) => {
        const name = `${channel}/${line.text}`;
        acknowledged.set(name, [...(acknowledged.get(name) ?? []), seq]);
      });
      tries.push(stored);
      // The next try comes over another connection, while this one may still be on its way.
      isAcknowledged = cuts === undefined || cuts.below(CUT_ONE_OF) > 0;
      if (isAcknowledged) await stored;
    }
  }
  await Promise.all(tries);
}

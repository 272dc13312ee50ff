import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';

export interface Probe {
  isReady(): Promise<boolean>;
  close(): Promise<void>;
}

type Twin = { createProbe(databaseUrl: string): Promise<Probe> };
type Input = { readonly probesAtOnce: number; readonly connections: number };

const PROBES_AT_ONCE = 60;
const CONNECTIONS = 50;
const CONNECT_EVERY_MS = 20;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/process/health-check.ts',
  withoutIt: 'health checks use up the connections they test',
  asks: `The service opens ${CONNECTIONS} connections, one after another, while ${PROBES_AT_ONCE} probes at a time ask whether it is ready.`,
  breaks: 'the service cannot connect to its own database',
  holds: 'every connection of the service is opened, and every probe hears that it is ready',
  headline: ({ refused = 0 }) => `${refused} of ${CONNECTIONS} connections refused`,
  small: { probesAtOnce: 2, connections: 5 },
  full: { probesAtOnce: PROBES_AT_ONCE, connections: CONNECTIONS },

  async perform({ createProbe }, { probesAtOnce, connections }, { databaseUrl }) {
    const probe = await createProbe(databaseUrl);
    const figures = { refused: 0, notReady: 0 };
    let isDone = false;
    const probes = Array.from({ length: probesAtOnce }, async () => {
      while (!isDone) {
        if (!(await probe.isReady())) figures.notReady++;
        await sleep(1);
      }
    });
    let served = 0;
    for (let n = 0; n < connections; n++) {
      const { unscoped: db, close } = openBenchPool(databaseUrl, 1);
      await sql`select 1`.execute(db).then(
        () => served++,
        () => figures.refused++,
      );
      await close();
      await sleep(CONNECT_EVERY_MS);
    }
    isDone = true;
    await Promise.all(probes);
    await probe.close();
    return { digest: createHash('sha256').update(`${served} served`).digest('hex'), figures };
  },

  isBroken: ({ ending, figures }) => ending === 'finished' && (figures.refused ?? 0) > 0,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.refused === 0 && figures.notReady === 0,
};

/** Plants a group of faults at once, and waits until each is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { round } from '../numbers.ts';
import type { FaultContext, PlantedAlert } from './planted-alert.ts';

export interface Fired {
  readonly rule: string;
  readonly fault: string;
  /** Seconds from the fault; undefined when nothing was told in time, or it is not told there. */
  readonly mailer: number | undefined;
  readonly prometheus: number | undefined;
  /** Where it should have been told and was not. */
  readonly silent: readonly ('mailer' | 'Prometheus')[];
  /** Requests of the user that failed before it was told. */
  readonly failed: number;
}

export interface FireContext extends FaultContext {
  /** How many requests of the user have failed so far. */
  readonly failed: () => number;
  /** What the mail about a rule says. */
  readonly says: (rule: string) => string;
}

const FIRES_WITHIN_MS = 5 * 60_000; // the longest condition of most, three minutes, and what a busy machine adds
const ASK_EVERY_MS = 500;

export async function fireAll(faults: readonly PlantedAlert[], context: FireContext): Promise<Fired[]> {
  const { databaseUrl } = context.layout.addresses;
  const client = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  client.on('error', () => undefined);
  try {
    const found = await Promise.all(faults.map((fault) => fireOne(fault, context, client)));
    for (const { end } of found) await end();
    return found.map(({ end: _, ...one }) => one);
  } finally {
    await client.end();
  }
}

async function fireOne(planted: PlantedAlert, context: FireContext, client: pg.Pool) {
  const { rule, fault, lasts, minutes = 0, toldBy } = planted;
  const { prometheus } = context;
  const begun = performance.now();
  const plantedAt = new Date();
  const failedAtFirst = context.failed();
  let failed: number | undefined;
  let end: () => unknown = () => undefined;
  const planting = planted.plant(context).then((undo) => {
    end = undo;
  });
  const untilIt = async (fires: () => Promise<boolean>) => {
    const withinMs = FIRES_WITHIN_MS + minutes * 60_000;
    while (performance.now() - begun < withinMs) {
      if (await fires().catch(() => false)) {
        failed ??= context.failed() - failedAtFirst;
        return round((performance.now() - begun) / 1_000, 0);
      }
      await sleep(ASK_EVERY_MS);
    }
    return undefined;
  };
  const isToldByMailer = () =>
    toldBy === 'mail'
      ? hasMail(context, rule, plantedAt)
      : isInTable(client, rule, planted.fromTheStart ? new Date(0) : plantedAt);
  const [mailer, theirs] = await Promise.all([
    toldBy === 'Prometheus only' ? undefined : untilIt(isToldByMailer),
    prometheus === undefined ? undefined : untilIt(async () => (await prometheus.firing()).includes(rule)),
    planting,
  ]);
  if (!lasts) await end();
  const silent = [
    ...(mailer === undefined && toldBy !== 'Prometheus only' ? (['mailer'] as const) : []),
    ...(theirs === undefined && prometheus !== undefined ? (['Prometheus'] as const) : []),
  ];
  return {
    ...{ rule, fault, mailer, prometheus: theirs, silent },
    failed: failed ?? context.failed() - failedAtFirst,
    end: lasts ? end : () => undefined,
  };
}

async function isInTable(client: pg.Pool, rule: string, since: Date): Promise<boolean> {
  const { rows } = await client.query('select from alerts where rule = $1 and fired_at >= $2', [rule, since]);
  return rows.length > 0;
}

/** Of all that is news at a moment there is one mail, so its text is read. */
async function hasMail({ layout, says }: FireContext, rule: string, since: Date): Promise<boolean> {
  const { mail } = layout.addresses;
  const list = (await (await fetch(`${mail}/api/mails?to=owner@acme.test&limit=50`)).json()) as {
    mails: { id: number; at: number }[];
  };
  const news = list.mails.filter(({ at }) => at >= since.getTime());
  const texts = await Promise.all(
    news.map(async ({ id }) => ((await (await fetch(`${mail}/api/mails/${id}`)).json()) as { text: string }).text),
  );
  return texts.some((text) => text.split('\n').some((line) => line.startsWith(`${says(rule)} [${rule}]`)));
}

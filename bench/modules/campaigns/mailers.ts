/** Two mailers in boxes of their own, and a mail server of the scenario's own. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { REACH_OUT } from '../../../src/modules/campaigns/campaign-mail.ts';
import { call } from '../../call.ts';
import { type Layout, startLayout } from '../../layout/layout.ts';
import type { Account } from '../../load/plan.ts';
import { type FaultyServer, startFaultyServer, type Taken } from '../../mail/faulty-server.ts';
import type { OwnLayoutContext, OwnLayoutFindings } from '../../scenarios/scenario.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '..', '..', '.tardigrade', 'bench', 'two-mailers');
/** Its people are written to by nobody here. */
const SEED_SCALE = 0.02;
const POLL_MS = 100;

export interface Mailers {
  readonly layout: Layout;
  readonly smtp: FaultyServer;
}

/** Adds to what `work` finds what the boxes used. */
export async function withMailers(
  context: OwnLayoutContext,
  mailPerSecond: number,
  work: (mailers: Mailers) => Promise<Omit<OwnLayoutFindings, 'boxes' | 'memory'>>,
): Promise<OwnLayoutFindings> {
  const smtp = await startFaultyServer();
  try {
    const layout = await startLayout({
      kind: 'two-mailers',
      seedScale: SEED_SCALE,
      folder: FOLDER,
      smtpUrl: smtp.url,
      environment: { MAIL_PER_SECOND: String(mailPerSecond) },
      soft: context.soft,
    });
    try {
      context.watch(layout);
      const found = await work({ layout, smtp });
      return {
        ...found,
        inconclusive: [...layout.inconclusiveReasons(), ...(found.inconclusive ?? [])],
        boxes: Object.fromEntries([...layout.boxes].map(([name, box]) => [name, box.figures()])),
        memory: layout.memorySamples(),
      };
    } finally {
      context.watch(undefined);
      await layout.stop();
    }
  } finally {
    await smtp.stop();
  }
}

/** Without those about accounts: an owner is mailed the link to register. */
export function campaignMails({ smtp }: Mailers): readonly Taken[] {
  return smtp.taken.filter(({ messageId }) => messageId.startsWith(`<${REACH_OUT}.`));
}

export interface Sent {
  readonly id: number;
  readonly status: string;
  readonly progress: {
    readonly recipients: number;
    readonly sent: number;
    readonly failed: number;
    readonly possiblyTwice: number;
  };
}

const CONTENT = { subject: 'Hello {{name}}', body: 'Hello {{name}} of {{organisation}}, how are things?' };

export async function draft({ layout }: Mailers, { token }: Account, name: string): Promise<number> {
  const body = { ...CONTENT, name };
  return (await call<{ id: number }>(layout.addresses.api, '/api/v1/campaigns', { method: 'POST', token, body })).json
    .id;
}

/** Of a draft: `launch`, `schedule`, `cancel`, `retry`. */
export async function change(
  { layout }: Mailers,
  { token }: Account,
  id: number,
  verb: string,
  body?: object,
): Promise<void> {
  const options = { method: 'POST', token, ...(body === undefined ? {} : { body }) } as const;
  await call(layout.addresses.api, `/api/v1/campaigns/${id}/${verb}`, options);
}

export async function launched(mailers: Mailers, account: Account, name: string): Promise<number> {
  const id = await draft(mailers, account, name);
  await change(mailers, account, id, 'launch');
  return id;
}

/** Undefined while the database or the api cannot answer. */
export async function sentOf({ layout }: Mailers, { token }: Account, id: number): Promise<Sent | undefined> {
  const headers = { 'read-after': 'FFFFFFFF/FFFFFFFF' }; // of the primary
  return call<Sent>(layout.addresses.api, `/api/v1/campaigns/${id}`, { token, headers }).then(
    ({ json }) => json,
    () => undefined,
  );
}

/** Asks again and again until there is an answer; throws with what was waited for. */
export async function until<T>(
  what: string,
  ms: number,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (const deadline = performance.now() + ms; ; ) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${Math.round(ms / 1_000)} s: ${what}`);
    await sleep(POLL_MS);
  }
}

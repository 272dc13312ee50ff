import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { call } from '../../call.ts';
import type { Counters } from '../../counters/budgets.ts';
import type { CountContext } from '../../counters/count-context.ts';
import { databaseUse, usedSince } from '../../counters/database-use.ts';
import { signInOf } from '../../load/accounts.ts';
import { round } from '../../numbers.ts';

/** Of an organisation that no other scenario signs in to. */
const MAILED = 'admin@slowstepper.test';

const POLL_MS = 20;
const SENT_MS_MAX = 20_000;
/** Of the queue `campaigns` (src/queue), jobs named by the campaign (enqueueCampaigns). */
const jobKey = (orgId: number, id: number) => `bull:campaigns:campaign-${orgId}-${id}`;

interface Campaign {
  readonly id: number;
  readonly status: string;
  readonly progress: { readonly sent: number };
}

/** A campaign to everybody in one organisation: what a mail costs the database and Redis, and what its job holds. */
export async function countMails({ addresses: { api, mailer, redisUrl } }: CountContext): Promise<Counters> {
  const redis = new Redis(redisUrl);
  try {
    const { token, orgId } = await signInOf(api, MAILED);
    const body = { name: 'Counted mails', subject: 'Hi {{name}}', body: 'Hello {{name}}' };
    const { id } = (await call<Campaign>(api, '/api/v1/campaigns', { method: 'POST', token, body })).json;
    const [useBefore, commandsBefore] = [await databaseUse(mailer), await commandsOf(redis)];
    await call(api, `/api/v1/campaigns/${id}/launch`, { method: 'POST', token });
    let jobBytes = 0;
    for (const deadline = Date.now() + SENT_MS_MAX; ; ) {
      jobBytes = Math.max(jobBytes, (await redis.memory('USAGE', jobKey(orgId, id))) ?? 0);
      const { status, progress } = (await call<Campaign>(api, `/api/v1/campaigns/${id}`, { token })).json;
      if (status === 'done') {
        const used = usedSince(useBefore, await databaseUse(mailer));
        const commands = (await commandsOf(redis)) - commandsBefore;
        return {
          'queries per mail': round(used.queries / progress.sent, 3),
          'rows per mail': round(used.rows / progress.sent, 3),
          'redis commands per mail': round(commands / progress.sent, 3),
          'job of a campaign: redis bytes': jobBytes,
        };
      }
      if (Date.now() > deadline)
        throw new Error(`campaign ${id} is ${status} with ${progress.sent} mails sent after ${SENT_MS_MAX} ms`);
      await delay(POLL_MS);
    }
  } finally {
    redis.disconnect();
  }
}

/** Commands that Redis ran for anybody but this count itself. */
async function commandsOf(redis: Redis): Promise<number> {
  const text = await redis.info('commandstats');
  const calls = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].filter(([, name]) => !OURS.has(name as string));
  return calls.reduce((sum, [, , count]) => sum + Number(count), 0);
}

const OURS = new Set(['info', 'memory|usage']);

/** Campaigns of all organisations, 30,000 mails together, that keep going out for as long as a rung is tried. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { call } from '../../../call.ts';
import type { Account } from '../../../load/plan.ts';
import { idOf } from '../../../load/step.ts';
import { LAUNCH_WAIT_MS, MAILS_LEFT_MIN, POLL_MS } from './limits.ts';

export interface GoingOut {
  /** Launches again when little is left, and resolves when mails are being sent. */
  keepUp(): Promise<void>;
  /** Mails since the first launch. */
  sent(): Promise<number>;
  /** The process that sent them has died: nobody goes on with them. */
  forget(): void;
}

export function createGoingOut(database: Client, apiUrl: string, owners: readonly Account[]): GoingOut {
  const launched: number[] = [];
  let ends = 0;

  const count = async (columns: string): Promise<number> => {
    const { rows } = await database.query<{ count: string }>(
      `select coalesce(sum(${columns}), 0) as count from campaign_progress where campaign_id = any($1)`,
      [launched],
    );
    return Number(rows[0]?.count);
  };
  const sent = () => count('sent');

  async function launch(): Promise<void> {
    const { rows } = await database.query<{ count: string }>('select sum(reachable) as count from teams');
    const content = {
      name: 'Going out',
      subject: 'How was your week, {{name}}?',
      body: 'Hello {{name}}, how are you?',
    };
    for (const { token } of owners) {
      const { json } = await call(apiUrl, '/api/v1/campaigns', { method: 'POST', token, body: content });
      await call(apiUrl, `/api/v1/campaigns/${idOf(json)}/launch`, { method: 'POST', token });
      launched.push(idOf(json));
    }
    ends += Number(rows[0]?.count);
  }

  return {
    sent,
    async keepUp() {
      const done = await count('sent + failed + skipped');
      if (ends - done < MAILS_LEFT_MIN) await launch();
      const deadline = Date.now() + LAUNCH_WAIT_MS;
      while ((await count('sent + failed + skipped')) <= done && Date.now() < deadline) await delay(POLL_MS);
    },
    forget() {
      ends = 0;
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { openMigrationDatabase } from '../../../src/db/migrate.ts';
import { REACH_OUT } from '../../../src/modules/campaigns/campaign-mail.ts';
import { MAIL_LEASE_MS, MAILS_IN_FLIGHT_MAX } from '../../../src/modules/campaigns/limits.ts';
import type { Account } from '../../load/plan.ts';
import { createRandom, type Random } from '../../load/random.ts';
import type { Faults } from '../../mail/faulty-server.ts';
import type { OwnLayoutScenario, ProfileName } from '../../scenarios/scenario.ts';
import { registerCustomer } from '../employees/customer.ts';
import { campaignMails, change, launched, type Mailers, type Sent, sentOf, until, withMailers } from './mailers.ts';

const KILLS = { ci: 2, full: 20 };
const STOPPED = { ci: ['primary'], full: ['redis', 'primary', 'replica'] };
const PEOPLE = { ci: 1_000, full: 2_000 };
const PER_SECOND = 60;
const STOPPED_MS = 20_000;
const FLOWS_MS = 90_000;
const FLOWING_MAILS = 20;
const STARTS_MS = 120_000;
const ENDS_MS = 400_000;
/** Sets the run's chance; printed by every run. */
const SEED = Number(process.env['MAIL_CHAOS_SEED'] ?? Date.now() % 1_000_000);

/** Whatever dies, stops, forgets or refuses: by the mail server's own record everybody gets each mail once. */
export const mailChaos: OwnLayoutScenario = {
  name: 'mail-chaos',
  promise: 'mail-chaos',
  line: `kill -9 of mailers at ${KILLS.full} random moments, Redis emptied and restarted, the primary restarted, each stopped for ${STOPPED_MS / 1_000} s, a mail server that hangs and refuses at random: everybody gets each mail once, but for those in flight at a kill, which are counted`,
  gates: true,
  profile: 'full',

  run(context) {
    context.say(`mail-chaos: MAIL_CHAOS_SEED=${SEED}`);
    const random = createRandom(SEED);
    return withMailers(context, PER_SECOND, async (mailers) => {
      const { layout, smtp } = mailers;
      smtp.faults = badDay(random);
      const account = await registerCustomer(layout.addresses, PEOPLE[context.profile]);
      const campaigns: number[] = [];
      for (const event of shuffled(eventsOf(mailers, random, context.profile), random)) {
        await untilMailsFlow(mailers, account, campaigns);
        await sleep(random.next() * 3_000);
        context.say(`mail-chaos: ${event.says}, ${smtp.taken.length} mails taken`);
        await event.happen();
      }
      smtp.faults = () => undefined;
      const sent: Sent[] = [];
      for (const id of campaigns) sent.push(await untilAllIsSent(mailers, account, id));

      const { missing, suppressed, unknown, copies } = await compared(mailers, account);
      const refusals = Object.fromEntries([...smtp.refusals].map(([code, times]) => [`answered${code}`, times]));
      const counted = sent.reduce((sum, { progress }) => sum + progress.possiblyTwice, 0);
      const inFlightMax = MAILS_IN_FLIGHT_MAX * (KILLS[context.profile] + 1);
      return {
        conditions: [
          { says: `nobody was left out (${missing})`, holds: missing === 0 },
          { says: `every copy has the Message-ID of its mail (${unknown} have not)`, holds: unknown === 0 },
          { says: `copies (${copies}) are counted as possible (${counted})`, holds: copies <= counted },
          { says: `and are at most those in flight (${inFlightMax})`, holds: counted <= inFlightMax },
          { says: `no process died by itself (${layout.deaths().length})`, holds: layout.deaths().length === 0 },
        ],
        figures: {
          mails: smtp.taken.length,
          copies,
          countedAsPossible: counted,
          missing,
          suppressed,
          kills: KILLS[context.profile],
          campaigns: campaigns.length,
          seed: SEED,
          ...refusals,
        },
      };
    });
  },
};

/** Most of it about single recipients; what is about us or the server holds all mails back for seconds. */
function badDay(random: Random): Faults {
  const one = (times: number) => random.next() < 1 / times;
  return (command) => {
    switch (command) {
      case 'MAIL FROM':
        if (one(4_000)) return { code: 421, words: '4.3.2 closing down' };
        return one(4_000) ? { code: 454, words: 'Throttling failure: Maximum sending rate exceeded.' } : undefined;
      case 'RCPT TO':
        if (one(200)) return { code: 451, words: '4.2.1 mailbox busy' };
        if (one(200)) return { code: 550, words: '5.1.1 no such user' };
        return one(300) ? { hangMs: 2_000 + random.below(4_000) } : undefined;
      case 'end':
        if (one(200)) return { code: 554, words: '5.6.0 not wanted' };
        if (one(4_000)) return { code: 451, words: '4.3.0 queue file write error' };
        return one(300) ? { hangMs: 2_000 + random.below(4_000) } : undefined;
    }
  };
}

interface Event {
  readonly says: string;
  happen(): Promise<void>;
}

function eventsOf({ layout }: Mailers, random: Random, profile: ProfileName): Event[] {
  const restarted = (part: string): Event => ({
    says: `kill -9 of ${part}`,
    async happen() {
      await layout.kill(part, 'SIGKILL');
      // A platform starts a process again that ended because its database was not there yet.
      await until(`${part} starts`, STARTS_MS, () =>
        layout.restart(part).then(
          () => true,
          () => undefined,
        ),
      );
    },
  });
  const stopped = (part: string, ms: number): Event => ({
    says: `${part} is stopped for ${ms / 1_000} s`,
    async happen() {
      await layout.kill(part, 'SIGSTOP');
      await sleep(ms);
      await layout.kill(part, 'SIGCONT');
    },
  });
  const emptied: Event = {
    says: 'FLUSHALL',
    async happen() {
      const redis = new Redis(layout.addresses.redisUrl);
      await redis.flushall();
      redis.disconnect();
    },
  };
  return [
    ...Array.from({ length: KILLS[profile] }, () => restarted(random.next() < 0.5 ? 'mailer' : 'mailer-2')),
    ...[emptied, restarted('redis'), restarted('primary')],
    ...STOPPED[profile].map((part) => stopped(part, STOPPED_MS)),
    stopped('mailer', MAIL_LEASE_MS + 5_000),
  ];
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((entry) => ({ entry, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ entry }) => entry);
}

/** Mails go out, of the last campaign or of another one that is launched for it. */
async function untilMailsFlow(mailers: Mailers, account: Account, campaigns: number[]): Promise<void> {
  const { smtp } = mailers;
  const before = smtp.taken.length;
  await until('mails flow', FLOWS_MS, async () => {
    if (smtp.taken.length >= before + FLOWING_MAILS) return true;
    const last = campaigns.at(-1);
    const { status } = (last === undefined ? undefined : await sentOf(mailers, account, last)) ?? {};
    if (last === undefined || status === 'done')
      await launched(mailers, account, `Chaos ${campaigns.length + 1}`).then(
        (id) => campaigns.push(id),
        () => undefined, // the database is on its way back
      );
    return undefined;
  });
}

/** Whoever was refused by a bad day's answer is sent to again, as a person would. */
function untilAllIsSent(mailers: Mailers, account: Account, id: number): Promise<Sent> {
  return until(`campaign ${id} has come to its end`, ENDS_MS, async () => {
    const sent = await sentOf(mailers, account, id);
    if (sent?.status !== 'done') return undefined;
    const again = await Promise.all(
      ['recipient', 'mail'].map((cause) =>
        change(mailers, account, id, 'retry', { cause }).then(
          () => true,
          () => false, // nobody failed for this cause
        ),
      ),
    );
    return again.includes(true) ? undefined : sent;
  });
}

/** The server's record against the ledger. An address of which the server said that nobody has it is not written to again. */
async function compared(mailers: Mailers, { orgId }: Account) {
  const { layout } = mailers;
  const taken = campaignMails(mailers);
  const db = openMigrationDatabase(layout.addresses.databaseUrl);
  const { rows } = await sql<{ id: string; email: string; suppressed: boolean }>`
    select r.id, e.email, exists (
      select from suppressions s where s.org_id = r.org_id and s.address = lower(e.email) and s.lifted_at is null
    ) as suppressed
    from reach_outs r join employees e on e.org_id = r.org_id and e.id = r.employee_id
    where r.org_id = ${orgId}`.execute(db);
  await db.destroy();
  const keyOf = (id: string, email: string) => `${REACH_OUT}.${orgId.toString(36)}.${Number(id).toString(36)} ${email}`;
  const ledger = new Map(rows.map(({ id, email, suppressed }) => [keyOf(id, email), suppressed]));
  const counts = new Map<string, number>();
  for (const { messageId, to } of taken) {
    const key = `${messageId.replace(/^<|\.\w+@.*$/g, '')} ${to}`; // without its signature (src/mail/mail-reference.ts)
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const without = [...ledger].filter(([key]) => !counts.has(key));
  return {
    missing: without.filter(([, suppressed]) => !suppressed).length,
    suppressed: without.filter(([, suppressed]) => suppressed).length,
    unknown: [...counts.keys()].filter((key) => !ledger.has(key)).length,
    copies: taken.length - counts.size,
  };
}

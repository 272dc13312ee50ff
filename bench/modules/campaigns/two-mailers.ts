import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from '../../load/plan.ts';
import type { Taken } from '../../mail/faulty-server.ts';
import { round } from '../../numbers.ts';
import type { Condition, OwnLayoutScenario } from '../../scenarios/scenario.ts';
import { registerCustomer } from '../employees/customer.ts';
import { campaignMails, change, draft, launched, type Mailers, until, withMailers } from './mailers.ts';

const PEOPLE = { ci: 6_000, full: 30_000 };
const FEW = 10;
const PER_SECOND = 200;
const MEASURED_MS = { ci: 10_000, full: 20_000 };
const RATE_SHARE = 0.05;
const FEW_MS_MAX = 10_000;
const SLOTS = 20;
const SLOT_IN_MS = 4_000;
const PROVIDER_PER_SECOND = 14;
const PROVIDER_MS = { ci: 30_000, full: 60_000 };
/** One a minute is how a rate is found out; a storm is one for every few mails. */
const REFUSED_SHARE_MAX = 0.1;
const PROVIDER_SHARE_MIN = 0.6;
const SETTLED_MS = 5_000;
const PATIENCE_MS = 60_000;

/** What two mailers do together: by the mail server's own record. */
export const twoMailers: OwnLayoutScenario = {
  name: 'two-mailers',
  promise: 'one-rate',
  line: `two mailers: each slot once, the shared rate within ${RATE_SHARE * 100} %, ${FEW} mails behind ${PEOPLE.full.toLocaleString('en')} within ${FEW_MS_MAX / 1_000} s, one second's mails after a cancellation at most, a provider of ${PROVIDER_PER_SECOND} a second kept without a storm of refusals`,
  gates: true,
  profile: 'full',

  run(context) {
    const { profile } = context;
    return withMailers(context, PER_SECOND, async (mailers) => {
      const { addresses } = mailers.layout;
      const one = await registerCustomer(addresses, 1);
      const few = await registerCustomer(addresses, FEW);
      const many = await registerCustomer(addresses, PEOPLE[profile]);
      const slots = await launchedBySchedule(mailers, one);
      const crowd = await amongMany(mailers, many, few, MEASURED_MS[profile]);
      const provider = await keptProvider(mailers, many, PROVIDER_MS[profile]);
      const ids = mailers.smtp.taken.map(({ messageId }) => messageId);
      const conditions: Condition[] = [
        { says: `${SLOTS} slots sent ${slots.mails} mails`, holds: slots.mails === SLOTS },
        {
          says: `${round(crowd.perSecond)} mails a second of ${PER_SECOND}, within ${RATE_SHARE * 100} %`,
          holds: Math.abs(crowd.perSecond / PER_SECOND - 1) <= RATE_SHARE,
        },
        {
          says: `${FEW} mails behind ${PEOPLE[profile]} within ${FEW_MS_MAX / 1_000} s (${round(crowd.fewMs / 1_000)})`,
          holds: crowd.fewMs <= FEW_MS_MAX,
        },
        {
          says: `at most one second's mails after the cancellation (${crowd.afterCancel})`,
          holds: crowd.afterCancel <= PER_SECOND,
        },
        {
          says: `a provider of ${PROVIDER_PER_SECOND} a second took ${round(provider.perSecond)} and refused ${provider.refused}`,
          holds:
            provider.perSecond >= PROVIDER_PER_SECOND * PROVIDER_SHARE_MIN &&
            provider.refused <= provider.taken * REFUSED_SHARE_MAX,
        },
        {
          says: `nobody got a mail twice (${ids.length - new Set(ids).size})`,
          holds: new Set(ids).size === ids.length,
        },
      ];
      return {
        conditions,
        figures: {
          perSecond: round(crowd.perSecond),
          fewSeconds: round(crowd.fewMs / 1_000),
          afterCancel: crowd.afterCancel,
          providerPerSecond: round(provider.perSecond),
          providerRefused: provider.refused,
          providerTaken: provider.taken,
          slotMails: slots.mails,
          mails: ids.length,
        },
      };
    });
  },
};

/** All of them are due in the same moment, and both mailers look for what is due. */
async function launchedBySchedule(mailers: Mailers, one: Account): Promise<{ mails: number }> {
  const at = new Date(Date.now() + SLOT_IN_MS + SLOTS * 50).toISOString();
  for (let slot = 1; slot <= SLOTS; slot++) {
    const id = await draft(mailers, one, `Slot ${slot}`);
    await change(mailers, one, id, 'schedule', { at });
  }
  await until('every slot has been launched', PATIENCE_MS, () => takenBy(mailers, one).length >= SLOTS);
  await sleep(SETTLED_MS);
  return { mails: takenBy(mailers, one).length };
}

async function amongMany(mailers: Mailers, many: Account, few: Account, ms: number) {
  const { taken } = mailers.smtp;
  const begun = taken.length;
  const big = await launched(mailers, many, 'Many');
  await until('the rate is reached', PATIENCE_MS, () => taken.length >= begun + PER_SECOND);
  await sleep(SETTLED_MS);
  const [before, from] = [taken.length, performance.now()];
  await sleep(ms);
  const perSecond = (taken.length - before) / ((performance.now() - from) / 1_000);
  const launchedAt = performance.now();
  await launched(mailers, few, 'Few');
  await until('the few have their mail', PATIENCE_MS, () => takenBy(mailers, few).length >= FEW);
  const fewMs = (takenBy(mailers, few).at(-1)?.at ?? 0) - launchedAt;
  await change(mailers, many, big, 'cancel');
  const atCancel = takenBy(mailers, many).length;
  await sleep(SETTLED_MS);
  return { perSecond, fewMs, afterCancel: takenBy(mailers, many).length - atCancel };
}

/** It counts by the second, as providers do. */
async function keptProvider(mailers: Mailers, many: Account, ms: number) {
  const { smtp } = mailers;
  let second = 0;
  let inSecond = 0;
  smtp.faults = (command) => {
    if (command !== 'MAIL FROM') return undefined;
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) [second, inSecond] = [now, 0];
    inSecond++;
    return inSecond > PROVIDER_PER_SECOND
      ? { code: 454, words: 'Throttling failure: Maximum sending rate exceeded.' }
      : undefined;
  };
  const [before, from] = [smtp.taken.length, performance.now()];
  const id = await launched(mailers, many, 'Slowly');
  await sleep(ms);
  const taken = smtp.taken.length - before;
  const perSecond = taken / ((performance.now() - from) / 1_000);
  await change(mailers, many, id, 'cancel');
  return { taken, perSecond, refused: smtp.refusals.get(454) ?? 0 };
}

function takenBy(mailers: Mailers, { domain }: Account): Taken[] {
  return campaignMails(mailers).filter(({ to }) => to.endsWith(`@${domain}`));
}

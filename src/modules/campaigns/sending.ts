/**
 * A slice of a campaign's mails: rows are claimed, sent and recorded while others of them are under way, so that a slow
 * answer to one mail holds up no other. While mails are under way their leases are extended, for as long as the server
 * takes; nothing more is handed over once the campaign is paused or cancelled, the process stops, or the server has
 * refused all of us.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../../flow/backoff.ts';
import { SMTP_CONNECTIONS_MAX } from '../../limits.ts';
import type { HeldBack, SendOptions } from '../../mail/mailing.ts';
import { isLockLost } from '../../queue/queues.ts';
import type { JobsContext } from '../faces.ts';
import { suppressAddresses } from '../suppressions/suppressions.ts';
import { toMail } from './campaign-mail.ts';
import {
  type ClaimedReachOut,
  claimReachOuts,
  extendLeases,
  holdCampaign,
  isSending,
  type ReachOutResult,
  recordReachOuts,
  releaseCampaign,
  type SendingCampaign,
  SUPPRESSED,
} from './ledger.ts';
import {
  MAIL_ATTEMPTS_MAX,
  MAIL_DRAIN_MS,
  MAIL_LEASE_EXTEND_EVERY_MS,
  MAIL_RECORD_MS,
  MAIL_RECORD_RETRY_MS,
  MAIL_SLICE_GRACE_MS,
  MAIL_SLICE_MS,
  MAIL_SLICE_ROWS,
  MAIL_TEND_EVERY_MS,
  MAILS_IN_FLIGHT_MAX,
} from './limits.ts';
import { resultOf, unsent } from './reach-out-result.ts';
import { recipientsByIds } from './recipient-queries.ts';

export type MailerParts = Pick<JobsContext, 'config' | 'database' | 'mail' | 'links' | 'log'>;

type Finished = ReachOutResult & { readonly address?: string };

type Person = Awaited<ReturnType<typeof recipientsByIds>>[number];

/** `empty`: nothing is due any more. `held`: the server takes no mail from us. */
export type SliceEnd =
  | { readonly why: 'full' | 'empty' | 'withdrawn' }
  | { readonly why: 'held'; readonly againInMs: number };

/** Mails that the server is slow to answer go on after the slice, as work that `keep` gets. */
export async function sendSlice(
  parts: MailerParts,
  campaign: SendingCampaign,
  signal: AbortSignal,
  keep: (work: Promise<void>) => void,
): Promise<SliceEnd> {
  const slice = createSlice(parts, campaign);
  const stop = () => slice.stop(isLockLost(signal));
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    return await slice.send();
  } finally {
    const ended = slice.end().finally(() => signal.removeEventListener('abort', stop));
    if (slice.isSlow()) keep(ended);
    else await ended;
  }
}

/** What is under way of one campaign in this process. */
function createSlice(parts: MailerParts, campaign: SendingCampaign) {
  const { orgId } = campaign;
  const underWay = new Map<number, ClaimedReachOut>();
  const withdraw = new AbortController();
  const giveUp = new AbortController();
  let finished: Finished[] = [];
  let left = MAIL_SLICE_ROWS;
  /** The last claim got less than it asked for. */
  let isDrained = false;
  /** Whether the campaign is stored as held. Then one mail at a time is claimed: the probe. */
  let isHeld = campaign.held !== undefined;
  let held: (HeldBack & { readonly until: number }) | undefined;
  /** A mail was answered for its own sake: the server takes mail again. */
  let isServed = false;
  /** Its mails were withdrawn because the time is up, and not because they must not be sent. */
  let isOver = false;
  let wake: () => void = () => undefined;
  const begunAt = performance.now();
  let tendedAt = begunAt;
  let extendedAt = tendedAt;

  /** The mails that are being handed over are still answered, for MAIL_DRAIN_MS if the process is about to end. */
  function stop(goesOn: boolean): void {
    withdraw.abort();
    if (!goesOn) setTimeout(() => giveUp.abort(), MAIL_DRAIN_MS).unref();
    wake();
  }

  async function send(): Promise<SliceEnd> {
    for (;;) {
      const room = freePlaces();
      const claimed = room > 0 || finished.length > 0 ? await recordAndClaim(room) : [];
      left -= claimed.length;
      if (room > 0) isDrained = claimed.length < room;
      await start(claimed);
      if (underWay.size === 0 && finished.length === 0) return ended(room > 0);
      if (isSlow()) return ended(false);
      await next();
    }
  }

  /**
   * The time is up, there is more to send, and what is under way does not end: first the mails that only wait for their
   * turn go back, then the others are left to themselves.
   */
  function isSlow(): boolean {
    const sinceMs = performance.now() - begunAt;
    if (isDrained || held !== undefined || sinceMs < MAIL_SLICE_MS + MAIL_SLICE_GRACE_MS) return false;
    if (!isOver) {
      isOver = true;
      withdraw.abort();
      return false;
    }
    return underWay.size > 0 && sinceMs > MAIL_SLICE_MS + 2 * MAIL_SLICE_GRACE_MS;
  }

  /**
   * Waits for what is under way and records it, whatever has happened: an outcome that is lost is a mail sent twice.
   * Never rejects.
   */
  async function end(): Promise<void> {
    withdraw.abort();
    while (underWay.size > 0) await next();
    const deadline = performance.now() + MAIL_RECORD_MS;
    for (let attempt = 0; finished.length > 0; attempt++) {
      try {
        await recordAndClaim(0);
      } catch (error) {
        if (performance.now() > deadline) {
          parts.log.error({ err: error, campaignId: campaign.id }, 'outcomes of mails could not be recorded');
          return;
        }
        await sleep(backoffMs(attempt, MAIL_RECORD_RETRY_MS));
      }
    }
  }

  function freePlaces(): number {
    if (withdraw.signal.aborted || held !== undefined || performance.now() - begunAt > MAIL_SLICE_MS) return 0;
    return Math.max(0, Math.min(left, windowSize() - underWay.size));
  }

  /** At a slow rate fewer wait in line, or a short campaign would wait for them. */
  function windowSize(): number {
    if (isHeld) return 1;
    return Math.min(MAILS_IN_FLIGHT_MAX, Math.max(SMTP_CONNECTIONS_MAX, Math.ceil(parts.mail.perSecond)));
  }

  async function recordAndClaim(room: number): Promise<ClaimedReachOut[]> {
    const { database, log } = parts;
    const results = finished;
    finished = [];
    try {
      return await database.transact(orgId, async (transaction) => {
        if (held !== undefined) await holdCampaign(transaction, campaign, { ...held, againInMs: heldForMs() });
        else if (isServed && isHeld) await releaseCampaign(transaction, campaign);
        const claimed = room === 0 ? [] : await claimReachOuts(transaction, campaign, room);
        if (results.length > 0) {
          const recorded = await recordReachOuts(transaction, campaign, results);
          await suppressAddresses(transaction, orgId, results.flatMap(suppressionIn));
          if (recorded < results.length)
            log.warn(
              { orgId: orgId, campaignId: campaign.id, late: results.length - recorded },
              'outcomes came after their lease had run out, and were not recorded',
            );
        }
        return claimed;
      });
    } catch (error) {
      finished = [...results, ...finished];
      throw error;
    } finally {
      if (isServed && held === undefined) isHeld = false;
    }
  }

  async function start(claimed: readonly ClaimedReachOut[]): Promise<void> {
    if (claimed.length === 0) return;
    const { expandPosition } = campaign;
    const ids = claimed.map(({ employeeId }) => employeeId);
    try {
      const { database } = parts;
      let people = await database.read(orgId, expandPosition ?? undefined, (db) => recipientsByIds(db, orgId, ids));
      // The replica had everybody when the ledger was written; a server that was put in its place may not.
      if (people.length < ids.length) people = await recipientsByIds(database.primary(orgId), orgId, ids);
      const byId = new Map(people.map((person) => [person.id, person]));
      for (const reachOut of claimed) {
        underWay.set(reachOut.id, reachOut);
        void sendOne(reachOut, byId.get(reachOut.employeeId) as Person);
      }
    } catch (error) {
      finished.push(...claimed.filter(({ id }) => !underWay.has(id)).map((one) => unsent(one)));
      throw error;
    }
  }

  /** Never rejects. */
  async function sendOne(reachOut: ClaimedReachOut, person: Person): Promise<void> {
    let result: Finished;
    try {
      result = { ...(await outcome(reachOut, person)), address: person.email };
    } catch (error) {
      parts.log.error({ err: error, reachOut: reachOut.id }, 'a mail could not be sent');
      result = resultOf(reachOut, { kind: 'deferred', about: 'mail', reason: 'The mail could not be composed.' });
    }
    underWay.delete(reachOut.id);
    finished.push(result);
    if (held !== undefined || underWay.size <= windowSize() / 2) wake();
  }

  async function outcome(reachOut: ClaimedReachOut, { email, name }: Person): Promise<ReachOutResult> {
    const { organisation } = campaign;
    if (reachOut.unsubscribed) return resultOf(reachOut, 'unsubscribed');
    if (reachOut.suppressed) return resultOf(reachOut, SUPPRESSED);
    if (reachOut.interrupted && reachOut.attempts > MAIL_ATTEMPTS_MAX)
      return resultOf(reachOut, { kind: 'unanswered', after: 'break', reason: 'Every process that sent it has died.' });
    const mail = toMail(parts, campaign, { orgId, id: reachOut.id, email, name, organisation });
    const options: SendOptions = { withdraw: withdraw.signal, giveUp: giveUp.signal };
    const outcome = await parts.mail.send(mail, options);
    if (outcome.kind === 'held') held = { ...outcome, until: performance.now() + outcome.againInMs };
    else if (outcome.kind !== 'withdrawn' && outcome.kind !== 'put off') isServed = true;
    return resultOf(reachOut, outcome);
  }

  /** Waits until there is room for more, or for MAIL_TEND_EVERY_MS at most. */
  async function next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const timer = setTimeout(resolve, MAIL_TEND_EVERY_MS);
    if (underWay.size === 0) resolve();
    await promise;
    clearTimeout(timer);
    if (performance.now() - tendedAt >= MAIL_TEND_EVERY_MS) await tend();
  }

  /** Also while others come and go: one mail can be under way for minutes. */
  async function tend(): Promise<void> {
    const { database, log } = parts;
    tendedAt = performance.now();
    try {
      if (!(await isSending(database.primary(orgId), campaign))) withdraw.abort();
      if (performance.now() - extendedAt < MAIL_LEASE_EXTEND_EVERY_MS) return;
      const claims = [...underWay.values()];
      if (claims.length > 0)
        await database.transact(orgId, (transaction) => extendLeases(transaction, campaign, claims));
      extendedAt = performance.now();
    } catch (error) {
      log.warn({ err: error, campaignId: campaign.id }, 'mails that are under way could not be looked after');
    }
  }

  function heldForMs(): number {
    return Math.max(0, (held?.until ?? 0) - performance.now());
  }

  function ended(wanted: boolean): SliceEnd {
    if (held !== undefined) return { why: 'held', againInMs: heldForMs() };
    if (withdraw.signal.aborted && !isOver) return { why: 'withdrawn' };
    return { why: wanted ? 'empty' : 'full' };
  }

  return { send, stop, end, isSlow };
}

/** Also for an outcome that came too late to be recorded: the mailbox is gone all the same. */
function suppressionIn({ isHardBounce, address, error }: Finished) {
  return isHardBounce && address !== undefined ? [{ address, reason: 'bounce', detail: error ?? '' } as const] : [];
}

/**
 * A test mail: a campaign's mail to the person who is writing it, and to nobody else. It is marked as a test, is not in
 * the ledger, and its links lead to a page that shows the questions and stores nothing (preview-page.ts).
 *
 * It goes the way of all mail, through the mailer, its rate and the same server, so what arrives is what everybody will get.
 */
import { randomUUID } from 'node:crypto';
import type { DatabaseSession } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import { sendInTurn } from '../../mail/mail-turn.ts';
import type { SendOutcome } from '../../mail/mailing.ts';
import { createLinkToken, type LinkTarget } from '../../mail/personal-link.ts';
import type { Mail } from '../../mail/transport.ts';
import type { Turn } from '../../queue/queues.ts';
import { writeToOutbox } from '../../queue/transactional-outbox.ts';
import { whoIs } from '../accounts/accounts.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import type { JobsContext } from '../faces.ts';
import { suppressedAmong } from '../suppressions/suppressions.ts';
import { AUTOMATIC, type MailConfig, messageIdOf, renderMail, senderOf } from './campaign-mail.ts';
import { TEST_MAIL_RETRY_MS, TEST_MAIL_TRIED_MS } from './limits.ts';
import { refuseUnknownPlaceholders, type Words } from './placeholders.ts';
import { campaignById } from './queries.ts';

declare module '../../queue/transactional-outbox.ts' {
  interface Topics {
    'campaign.test': { readonly campaignId: number; readonly userId: number };
  }
}

export interface TestMailJob {
  readonly orgId: number;
  readonly campaignId: number;
  /** Who gets it. */
  readonly userId: number;
  /** In milliseconds since 1970. */
  readonly askedAt: number;
}

/** Hands a test mail to the actor, who has this address, over to the mailer; returns the address. Throws `not_found`, `invalid`, `conflict`. */
export function requestTestMail(
  db: DatabaseSession,
  actor: SignedInActor,
  campaignId: number,
  email: string,
): Promise<string> {
  const { orgId, userId } = actor;
  return db.write(async (transaction) => {
    const campaign = await campaignById(transaction, orgId, campaignId);
    if (campaign === undefined) throw new AppError('not_found', 'This campaign does not exist.');
    refuseUnknownPlaceholders(campaign); // it was stored before they were refused
    if ((await suppressedAmong(transaction, orgId, [email])).size > 0)
      throw new AppError('conflict', 'Your own address is suppressed. Lift that first, under Suppressions.');
    await writeToOutbox(transaction, { orgId, topic: 'campaign.test', payload: { campaignId, userId } });
    await writeAudit(transaction, actor, { action: 'campaign.tested', subject: campaign.name });
    return email;
  });
}

const FOR_NOW: readonly SendOutcome['kind'][] = ['held', 'deferred', 'withdrawn', 'put off'];

/** One try. A server that takes nothing now is asked again for TEST_MAIL_TRIED_MS: then the person has asked again. */
export async function sendTestMail(
  { config, database, mail, links, log }: Pick<JobsContext, 'config' | 'database' | 'mail' | 'links' | 'log'>,
  { orgId, campaignId, userId, askedAt }: TestMailJob,
  signal: AbortSignal,
  keep: (work: Promise<void>) => void,
): Promise<Turn> {
  const campaign = await campaignById(database.primary(orgId), orgId, campaignId);
  if (campaign === undefined) return 'finished';
  const asked = await whoIs(database, orgId, userId).catch((error) => {
    if (error instanceof AppError && error.code === 'unauthenticated') return undefined;
    throw error;
  });
  if (asked === undefined) return 'finished'; // removed since
  const { user, organisation } = asked;
  const labels = links.map(({ label }) => label);
  const words = { name: user.name, organisation: organisation.name };
  const test = testMail(config, campaign, labels, { orgId, to: user.email, words });
  let isOver = false;
  const settle = async (outcome: SendOutcome): Promise<Turn> => {
    const isForNow = FOR_NOW.includes(outcome.kind) && !isOver;
    if (isForNow && Date.now() - askedAt < TEST_MAIL_TRIED_MS) return { againInMs: TEST_MAIL_RETRY_MS };
    if (outcome.kind !== 'sent') log.warn({ orgId, campaignId, outcome }, 'a test mail was not sent');
    return 'finished';
  };
  const onFault = (err: unknown) => log.error({ err, orgId, campaignId }, 'a test mail was not sent');
  const turn = await sendInTurn(test, { mail, signal, keep, settle, onFault });
  isOver = turn === undefined; // it may have arrived: whoever misses it asks again, and what the server says is logged
  return turn ?? 'finished';
}

export function testMail(
  config: MailConfig,
  campaign: { id: number; name: string; subject: string; body: string },
  labels: readonly string[],
  { orgId, to, words }: { orgId: number; to: string; words: Words },
): Mail {
  const from = senderOf(config);
  const url = previewUrl(config, { orgId, id: campaign.id });
  const note = `This is a test of the campaign “${campaign.name}”, sent to you only. Its links open a preview, in which nothing is stored.`;
  const rendered = renderMail(campaign, words, {
    actions: labels.map((label) => ({ label, url })),
    unsubscribe: url,
    note,
  });
  return {
    from,
    to,
    ...rendered,
    subject: `[Test] ${rendered.subject}`,
    messageId: messageIdOf(`test.${randomUUID()}`, from),
    headers: AUTOMATIC,
  };
}

export function previewUrl(
  { apiUrl, secretKey }: Pick<MailConfig, 'apiUrl' | 'secretKey'>,
  target: LinkTarget,
): string {
  return `${apiUrl}/preview/${createLinkToken(secretKey, PREVIEW, target)}`;
}

export const PREVIEW = 'preview';

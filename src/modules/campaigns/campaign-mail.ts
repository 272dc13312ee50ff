import type { Config } from '../../config.ts';
import { bounceAddress, createReference } from '../../mail/mail-reference.ts';
import { createLinkToken, type LinkTarget, type PersonalLink } from '../../mail/personal-link.ts';
import type { Mail } from '../../mail/transport.ts';
import { type Mailbox, parseMailbox } from '../../mail-address.ts';
import { fillPlaceholders, type Words } from './placeholders.ts';

export const CAMPAIGN_DEFAULTS = {
  subject: 'How are you doing, {{name}}?',
  body: [
    'Hello {{name}},',
    'How was your week at {{organisation}}? We have a few short questions for you. They take about two minutes, and your answers help us make things better.',
    'Thank you for taking the time!',
  ].join('\n\n'),
  questions: [
    'How was your week overall?',
    'What went well?',
    'What got in your way?',
    'Do you get the support you need from your team?',
    'Is there anything else you would like us to know?',
  ],
} as const;

export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface MailLinks {
  /** The buttons, in the order in which they are shown. */
  readonly actions: readonly { readonly label: string; readonly url: string }[];
  readonly unsubscribe: string;
  /** Said before everything else. */
  readonly note?: string;
}

/** Subject, text and HTML of one mail: placeholders are filled in, and everything is escaped. */
export function renderMail(template: { subject: string; body: string }, words: Words, links: MailLinks): MailText {
  const body = fillPlaceholders(template.body, words).trim();
  const why = `You are receiving this email because ${words.organisation} checks in with its people regularly.`;
  const text = [
    ...(links.note === undefined ? [] : [`*** ${links.note} ***`]),
    body,
    ...links.actions.map(({ label, url }) => `${label}:\n${url}`),
    '--',
    `${why}\nUnsubscribe: ${links.unsubscribe}`,
  ].join('\n\n');
  const paragraphs = body
    .split(/\n{2,}/)
    .map((paragraph) => `<p style="margin:0 0 16px">${escapeHtml(paragraph).replaceAll('\n', '<br>')}</p>`)
    .join('\n');
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(oneLine(fillPlaceholders(template.subject, words)))}</title></head>
<body style="margin:0;padding:24px 12px;background:#f3f5f4;color:#17302b;font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif">
<div style="max-width:520px;margin:0 auto;background:#fff;border-radius:12px;padding:28px">
${links.note === undefined ? '' : `<p style="margin:0 0 16px;padding:10px 14px;border-radius:8px;background:#fff4d6">${escapeHtml(links.note)}</p>\n`}${paragraphs}
${links.actions.map(button).join('\n')}
<p style="margin:24px 0 0;font-size:13px;color:#5b6f6a">${escapeHtml(why)}<br><a href="${escapeHtml(links.unsubscribe)}" style="color:#5b6f6a">Unsubscribe</a></p>
</div></body></html>
`;
  return { subject: oneLine(fillPlaceholders(template.subject, words)), text: `${text}\n`, html };
}

function button({ label, url }: MailLinks['actions'][number]): string {
  return `<p style="margin:24px 0"><a href="${escapeHtml(url)}" style="display:inline-block;padding:12px 22px;border-radius:8px;background:#0f766e;color:#fff;text-decoration:none;font-weight:600">${escapeHtml(label)}</a></p>`;
}

export interface Recipient extends LinkTarget, Words {
  readonly email: string;
}

export type MailConfig = Pick<Config, 'mailFrom' | 'mailBounceDomain' | 'secretKey' | 'chatUrl' | 'apiUrl'>;

/**
 * The mail of one reach-out, with its personal links; the same reach-out always gives the same Message-ID, which is signed:
 * with it, or with the sender in the envelope, servers tell us what became of the mail (feedback.ts).
 */
export function toMail(
  { config, links }: { config: MailConfig; links: readonly PersonalLink[] },
  campaign: { id: number; subject: string; body: string },
  to: Recipient,
): Mail {
  const unsubscribe = `${config.apiUrl}/u/${createLinkToken(config.secretKey, 'unsubscribe', to)}`;
  const actions = links.map((link) => ({ label: link.label, url: link.url(config, to) }));
  const reference = createReference(config.secretKey, { kind: REACH_OUT, target: to });
  const from = senderOf(config);
  return {
    from,
    to: to.email,
    returnTo: config.mailBounceDomain && bounceAddress(reference, config.mailBounceDomain),
    ...renderMail(campaign, to, { actions, unsubscribe }),
    messageId: messageIdOf(reference, from),
    headers: {
      // RFC 8058: mail programs unsubscribe with one POST, and only with a POST.
      'List-Unsubscribe': `<${unsubscribe}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      ...AUTOMATIC,
      // By these Gmail shows how many of a sender's mails are marked as spam.
      'Feedback-ID': `${campaign.id}:${to.orgId}:${REACH_OUT}:tardigrade`,
      // Some providers replace the Message-ID; all keep this.
      'X-Mail-Reference': reference,
    },
  };
}

/** Of the references of these mails. */
export const REACH_OUT = 'reach-out';

/** RFC 3834, and what older systems know instead: nobody's vacation note is to answer. */
export const AUTOMATIC = { 'Auto-Submitted': 'auto-generated', Precedence: 'bulk' } as const;

export function messageIdOf(reference: string, { address }: Mailbox): string {
  return `<${reference}@${address.slice(address.indexOf('@') + 1)}>`;
}

/** A line break in a header would start a new header. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Config has checked it. */
export function senderOf({ mailFrom }: MailConfig): Mailbox {
  return parseMailbox(mailFrom) ?? { name: '', address: mailFrom };
}

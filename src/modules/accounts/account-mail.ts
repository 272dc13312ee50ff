import type { Config } from '../../config.ts';
import type { Mail } from '../../mail/transport.ts';
import { type Mailbox, parseMailbox } from '../../mail-address.ts';
import { type LinkKind, mailedLink } from './mailed-link.ts';

/** What a mail needs to know; all of it is in the database. */
export interface Letter {
  readonly kind: LinkKind;
  readonly orgId: number;
  readonly id: number;
  readonly email: string;
  readonly organisation: string;
  /** Of an invitation: who sent it. */
  readonly invitedBy: string | null;
}

type MailConfig = Pick<Config, 'mailFrom' | 'secretKey' | 'apiUrl'>;

/** The same letter always gives the same mail, with the same link: sending it again does no harm. */
export function toAccountMail(config: MailConfig, letter: Letter): Mail {
  const { subject, paragraphs, button, ignore } = WORDS[letter.kind](letter);
  const url = mailedLink(config, letter.kind, letter);
  const from = senderOf(config);
  return {
    from,
    to: letter.email,
    subject: oneLine(subject),
    text: `${[...paragraphs, `${button}:\n${url}`, '--', ignore].join('\n\n')}\n`,
    html: page(oneLine(subject), paragraphs, { button, url }, ignore),
    messageId: `<${letter.kind}-${letter.orgId}-${letter.id}@${from.address.slice(from.address.indexOf('@') + 1)}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

interface Words {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  readonly button: string;
  readonly ignore: string;
}

const WORDS: Readonly<Record<LinkKind, (letter: Letter) => Words>> = {
  invitation: ({ organisation, invitedBy }) => ({
    subject: `${invitedBy} invites you to ${organisation}`,
    paragraphs: [
      'Hello,',
      `${invitedBy} invites you to join ${organisation} on Tardigrade. Choose a password, and you are in. The link works once, for seven days.`,
    ],
    button: `Join ${organisation}`,
    ignore: 'If you do not know who this is, ignore this mail: without the link nothing happens.',
  }),
  'password-reset': ({ organisation }) => ({
    subject: 'Reset your password',
    paragraphs: [
      'Hello,',
      `Somebody, probably you, asked to reset the password of your account at ${organisation}. The link works once, for an hour, and ends all your sessions.`,
    ],
    button: 'Choose a new password',
    ignore: 'If it was not you, ignore this mail: your password stays as it is.',
  }),
  'email-verification': ({ organisation }) => ({
    subject: 'Confirm your email address',
    paragraphs: ['Hello,', `Please confirm that this is the address of your account at ${organisation}.`],
    button: 'Confirm this address',
    ignore: 'If you have no account here, ignore this mail.',
  }),
};

function page(title: string, paragraphs: readonly string[], action: { button: string; url: string }, small: string) {
  const text = paragraphs.map((paragraph) => `<p style="margin:0 0 16px">${escapeHtml(paragraph)}</p>`).join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title></head>
<body style="margin:0;padding:24px 12px;background:#f3f5f4;color:#17302b;font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif">
<div style="max-width:520px;margin:0 auto;background:#fff;border-radius:12px;padding:28px">
${text}
<p style="margin:24px 0"><a href="${escapeHtml(action.url)}" style="display:inline-block;padding:12px 22px;border-radius:8px;background:#0f766e;color:#fff;text-decoration:none;font-weight:600">${escapeHtml(action.button)}</a></p>
<p style="margin:24px 0 0;font-size:13px;color:#5b6f6a">${escapeHtml(small)}</p>
</div></body></html>
`;
}

/** A line break in a header would start a new header. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Config has checked it. */
function senderOf({ mailFrom }: MailConfig): Mailbox {
  return parseMailbox(mailFrom) ?? { name: '', address: mailFrom };
}

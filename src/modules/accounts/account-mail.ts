import type { Config } from '../../config.ts';
import type { Mail } from '../../mail/transport.ts';
import { type Mailbox, parseMailbox } from '../../mail-address.ts';
import { forgottenUrl, mailedLink } from './mailed-link.ts';

/** What a mail needs to know; all of it is in the database. */
export type Letter = {
  readonly orgId: number;
  readonly id: number;
  readonly email: string;
  readonly askedAt: string;
} & (RegistrationLetter | InvitationLetter | PasswordResetLetter);

interface RegistrationLetter {
  readonly kind: 'registration';
  /** The address: then there is no link for it. */
  readonly hasAccount: boolean;
}

interface InvitationLetter {
  readonly kind: 'invitation';
  readonly organisation: string;
  readonly invitedBy: string;
}

interface PasswordResetLetter {
  readonly kind: 'password-reset';
  readonly organisation: string;
  readonly expiresAt: string;
}

type MailConfig = Pick<Config, 'mailFrom' | 'secretKey' | 'apiUrl'>;

/**
 * The same letter always gives the same mail, with the same link: sending it again does no harm. What is asked for again
 * has the same link and another Message-ID, or mailboxes that show each mail once would not show it.
 */
export function toAccountMail(config: MailConfig, letter: Letter): Mail {
  const { subject, paragraphs, buttons, ignore } = wordsOf(config, letter);
  const from = senderOf(config);
  const links = buttons.map(({ label, url }) => `${label}:\n${url}`);
  return {
    from,
    to: letter.email,
    subject: oneLine(subject),
    text: `${[...paragraphs, ...links, '--', ignore].join('\n\n')}\n`,
    html: page(oneLine(subject), paragraphs, buttons, ignore),
    messageId: `<${letter.kind}-${letter.orgId}-${letter.id}-${Date.parse(letter.askedAt)}@${from.address.slice(from.address.indexOf('@') + 1)}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

interface Words {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  readonly buttons: readonly Button[];
  readonly ignore: string;
}

interface Button {
  readonly label: string;
  readonly url: string;
}

function wordsOf(config: MailConfig, letter: Letter): Words {
  const link = (label: string) => [{ label, url: mailedLink(config, letter.kind, letter) }];
  switch (letter.kind) {
    case 'registration':
      return letter.hasAccount ? takenWords(config, letter) : registrationWords(letter, link);
    case 'invitation':
      return invitationWords(letter, link);
    case 'password-reset':
      return passwordResetWords(letter, link);
  }
}

/** Nothing in it comes from the person who asked: the mail may go to anybody. */
function registrationWords({ askedAt }: Letter, link: (label: string) => Button[]): Words {
  return {
    subject: 'Register your organisation',
    paragraphs: [
      'Hello,',
      `Somebody, probably you, asked on ${inWords(askedAt)} to register an organisation on Tardigrade with this address. With the link you give it a name and choose your password. The link works once, for three days.`,
    ],
    buttons: link('Register'),
    ignore: 'If it was not you, ignore this mail: without the link nothing happens.',
  };
}

/** Says nothing about the organisation: mail is read by others, too. */
function takenWords({ apiUrl }: MailConfig, { askedAt }: Letter): Words {
  return {
    subject: 'You already have an account',
    paragraphs: [
      'Hello,',
      `Somebody, probably you, asked on ${inWords(askedAt)} to register an organisation on Tardigrade with this address. It has an account already, so nothing was registered: sign in, or choose a new password if you have forgotten yours.`,
    ],
    buttons: [
      { label: 'Sign in', url: `${apiUrl}/` },
      { label: 'Choose a new password', url: forgottenUrl(apiUrl) },
    ],
    ignore:
      'If it was not you, ignore this mail: your account stays as it is, and the person who asked was not told that there is one.',
  };
}

function invitationWords({ organisation, invitedBy }: InvitationLetter, link: (label: string) => Button[]): Words {
  return {
    subject: `${invitedBy} invites you to ${organisation}`,
    paragraphs: [
      'Hello,',
      `${invitedBy} invites you to join ${organisation} on Tardigrade. Choose a password, and you are in. The link works once, for seven days.`,
    ],
    buttons: link(`Join ${organisation}`),
    ignore: 'If you do not know who this is, ignore this mail: without the link nothing happens.',
  };
}

function passwordResetWords(
  { organisation, expiresAt }: PasswordResetLetter,
  link: (label: string) => Button[],
): Words {
  return {
    subject: 'Reset your password',
    paragraphs: [
      'Hello,',
      `Somebody, probably you, asked to reset the password of your account at ${organisation}. The link works once, until ${inWords(expiresAt)}, and ends all your sessions.`,
    ],
    buttons: link('Choose a new password'),
    ignore: 'If it was not you, ignore this mail: your password stays as it is.',
  };
}

function page(title: string, paragraphs: readonly string[], buttons: readonly Button[], small: string) {
  const text = paragraphs.map((paragraph) => `<p style="margin:0 0 16px">${escapeHtml(paragraph)}</p>`).join('\n');
  const links = buttons.map(
    ({ label, url }, nth) =>
      `<a href="${escapeHtml(url)}" style="${BUTTON}${nth === 0 ? FIRST_BUTTON : LATER_BUTTON}">${escapeHtml(label)}</a>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title></head>
<body style="margin:0;padding:24px 12px;background:#f3f5f4;color:#17302b;font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif">
<div style="max-width:520px;margin:0 auto;background:#fff;border-radius:12px;padding:28px">
${text}
<p style="margin:24px 0">${links.join(' ')}</p>
<p style="margin:24px 0 0;font-size:13px;color:#5b6f6a">${escapeHtml(small)}</p>
</div></body></html>
`;
}

const BUTTON = 'display:inline-block;margin:0 8px 8px 0;padding:12px 22px;border-radius:8px;font-weight:600;';
const FIRST_BUTTON = 'background:#0f766e;color:#fff;text-decoration:none';
const LATER_BUTTON = 'color:#0f766e';

/** To the minute, in UTC: we do not know where the mail is read. */
function inWords(time: string): string {
  return `${DAY_AND_TIME.format(new Date(time))} UTC`;
}

const DAY_AND_TIME = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

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

import type { Config } from '../../config.ts';
import { createLinkToken, type LinkTarget, readLinkToken } from '../../mail/personal-link.ts';

/** What a mailed link is for, and the page of the dashboard that it opens. */
const PAGES = {
  registration: 'register',
  invitation: 'join',
  'password-reset': 'reset',
} as const;

export type LinkKind = keyof typeof PAGES;

declare module '../../queue/transactional-outbox.ts' {
  interface Topics {
    'account.mail-wanted': { readonly kind: LinkKind; readonly id: number };
  }
}

/**
 * The token is behind the #, so browsers send it to no server by themselves: it is in no log and no Referer. It names a
 * row, and holds for as long as that row is there: using the link deletes it.
 */
export function mailedLink(config: Pick<Config, 'secretKey' | 'apiUrl'>, kind: LinkKind, target: LinkTarget): string {
  return `${config.apiUrl}/#/${PAGES[kind]}/${mailedToken(config.secretKey, kind, target)}`;
}

export function mailedToken(secretKey: string, kind: LinkKind, target: LinkTarget): string {
  return createLinkToken(secretKey, `account ${kind}`, target);
}

export function readMailedLink(secretKey: string, kind: LinkKind, token: string): LinkTarget | undefined {
  return readLinkToken(secretKey, `account ${kind}`, token);
}

/** Where somebody asks for a link to reset their password. */
export function forgottenUrl(apiUrl: string): string {
  return `${apiUrl}/#/forgotten/password`;
}

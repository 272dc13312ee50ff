import { createLinkToken, type LinkTarget, type PersonalLink, readLinkToken } from '../../mail/personal-link.ts';

const PURPOSE = 'check-in';

/** In each mail of a campaign: it leads the recipient to their conversation. */
export const link: PersonalLink = {
  label: 'Start the check-in',
  url: (config, target) => `${config.chatUrl}/c/${createCheckInToken(config.secretKey, target)}`,
};

/** `target.id` is the reach-out's. */
export function createCheckInToken(secretKey: string, target: LinkTarget): string {
  return createLinkToken(secretKey, PURPOSE, target);
}

export function readCheckInToken(secretKey: string, token: string): LinkTarget | undefined {
  return readLinkToken(secretKey, PURPOSE, token);
}

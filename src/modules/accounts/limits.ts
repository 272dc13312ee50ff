import { REQUEST_MS } from '../../limits.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const MEMBERS_MAX = 500; // of one organisation, open invitations included
export const INVITATION_MS = 7 * DAY_MS; // a week with a holiday in it
export const INVITATIONS_PER_HOUR_MAX = 100; // of one organisation, so that nobody mails the world in our name; a department is invited in one go
export const REGISTRATION_MS = 3 * DAY_MS; // grants little, so it may wait for a weekend
export const REGISTRATIONS_MAX = 100_000; // open ones, about 25 MB: a flood pushes out the oldest, which nobody has confirmed for minutes
export const REGISTRATIONS_PUSHED_OUT_MAX = 10; // by each one that is asked for, which takes one id
export const PASSWORD_RESET_MS = 1 * HOUR_MS; // long enough for a slow mail server, short enough for a mailbox that somebody else opens later
export const LINKS_PER_ADDRESS_MAX = 3; // mails of one kind to one address within LINKS_MS, whoever asks for them
export const LINKS_MS = 15 * MINUTE_MS;
export const LINK_TRIES_PER_MINUTE_MAX = 60; // of one network: a token has 128 bits, so this only bounds the work
export const LINK_TOKEN_CHARS_MAX = 60; // two ids in base 36 and 22 characters of signature have 46 at most
export const ACCOUNT_MAIL_AGAIN_MS = 1 * MINUTE_MS; // after a mail server could not take a mail; until the link in it expires
export const ACCOUNT_MAIL_DEFERRED_MS_MAX = 5 * MINUTE_MS; // each time twice as long, up to this, after the mailbox could not: some servers take an impatient sender for a spammer
export const ACCOUNT_MAILS_TRIED_MAX = 1_000; // whose tries a mailer keeps in mind; of one that it has forgotten it begins to count again
export const ACCOUNT_MAIL_SWEEP_EVERY_MS = 1 * MINUTE_MS; // jobs that Redis lost are enqueued again
export const ACCOUNT_MAILS_SWEPT_MAX = 100; // of each kind in one sweep; the oldest first
export const PASSWORD_TRIES_MAX = 10; // of somebody who is signed in, within PASSWORD_TRIES_MS: with a session that was stolen fewer guesses a day, 960, than at the sign-in
export const PASSWORD_TRIES_MS = 15 * MINUTE_MS;
export const CODE_TRIES_MAX = 10; // wrong ones of one account within CODE_TRIES_MS, and as many from browsers that its owner has used: one in 33,000 guesses three valid codes of a million
export const CODE_TRIES_MS = 15 * MINUTE_MS;
export const SECOND_STEP_MS = 5 * MINUTE_MS; // from the right password to the right code: time to find the phone
export const OIDC_FLOW_MS = 10 * MINUTE_MS; // from our page to the provider and back, with a password and a second factor there
export const OIDC_FLOWS_MAX = 3; // that one browser may be in, in as many tabs: their cookie has about 300 bytes for each
export const OIDC_PROVIDER_MS = 10 * MINUTE_MS; // for which what the provider says about itself is kept: it moves, and changes its algorithms
export const OIDC_ANSWER_SECONDS = 3; // each request to the provider
export const OIDC_REQUESTS_MAX = 3; // in one of ours, one after another: about itself, for the tokens, and about the person
export const RECOVERY_CODES = 10;
export const SESSIONS_LISTED_MAX = 100; // of one person, the latest first
export const EXPIRED_KEPT_DAYS = 30; // invitations and keys stay in their lists for so many days after they have expired, so that people see why
export const API_KEYS_MAX = 100; // of one organisation
export const API_KEY_DAYS_MAX = 3_650;

export const RELATIONS: readonly [string, boolean][] = [
  ['SECOND_STEP_MS < CODE_TRIES_MS', SECOND_STEP_MS < CODE_TRIES_MS],
  ['ACCOUNT_MAIL_AGAIN_MS < PASSWORD_RESET_MS', ACCOUNT_MAIL_AGAIN_MS < PASSWORD_RESET_MS],
  [
    'OIDC_REQUESTS_MAX * OIDC_ANSWER_SECONDS * SECOND_MS < REQUEST_MS',
    OIDC_REQUESTS_MAX * OIDC_ANSWER_SECONDS * SECOND_MS < REQUEST_MS,
  ],
];

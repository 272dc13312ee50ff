/** What became of a mail after the mail server had taken it, as another server or the provider reports it later. */
export type MailEvent = Bounce | Complaint;

/** It was returned. `permanent`: the mailbox does not exist, or will never take mail; otherwise it was given up for now. */
export interface Bounce {
  readonly kind: 'bounce';
  readonly permanent: boolean;
  readonly reason: string;
}

/** Its reader has marked it as spam. */
export interface Complaint {
  readonly kind: 'complaint';
  readonly reason: string;
}

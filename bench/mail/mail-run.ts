import type { Db } from '../../src/db/schema.ts';
import type { PersonalLink } from '../../src/mail/personal-link.ts';
import type { Mail } from '../../src/mail/transport.ts';

/** What a module that sends mails to many people brings to bench:mail. */
export interface MailRun {
  /** One of its mails as it hands it over, for the other side to send as well. */
  sample(links: readonly PersonalLink[]): Mail;
  /** An organisation with so many people to write to; returns its id. */
  fill(db: Db, mails: number): Promise<number>;
  /** Begins to send one mail to each of them; returns what `progressOf` asks about. */
  begin(db: Db, orgId: number): Promise<number>;
  progressOf(db: Db, orgId: number, id: number): Promise<MailProgress>;
}

export interface MailProgress {
  readonly isOver: boolean;
  readonly sent: number;
  /** Between the first and the last of them, by when they were recorded. */
  readonly seconds: number;
}

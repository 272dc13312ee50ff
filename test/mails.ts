import { inject } from 'vitest';

export interface CaughtMail {
  readonly id: number;
  readonly to: string;
  readonly subject: string;
  readonly messageId: string;
}

export interface ReadMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything that the catcher took for recipients whose address contains `part`, newest first. */
export async function mailsTo(part: string): Promise<CaughtMail[]> {
  const all: CaughtMail[] = [];
  for (;;) {
    const before = all.at(-1)?.id ?? '';
    const { mails } = await ask<{ mails: CaughtMail[] }>(`/api/mails?to=${part}&limit=500&before=${before}`);
    all.push(...mails);
    if (mails.length < 500) return all;
  }
}

export async function countMailsTo(part: string): Promise<number> {
  return (await ask<{ total: number }>(`/api/mails?to=${part}&limit=1`)).total;
}

export function readMail(id: number): Promise<ReadMail> {
  return ask(`/api/mails/${id}`);
}

/** The token of the personal link under `/<page>/` in a mail's text. */
export function tokenIn(text: string, page: string): string {
  const token = new RegExp(`/${page}/([\\w.-]+)`).exec(text)?.[1];
  if (token === undefined) throw new Error(`No /${page}/ link in: ${text}`);
  return token;
}

async function ask<T>(path: string): Promise<T> {
  return (await fetch(`${inject('mailUrl')}${path}`)).json() as Promise<T>;
}

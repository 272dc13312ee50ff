import { product } from './browser.ts';

/** The check-in and unsubscribe links of the newest mail to an address, from the mail catcher. */
export async function linksTo(address: string): Promise<{ checkIn: string; unsubscribe: string }> {
  const { mails } = await ask<{ mails: { id: number }[] }>(`/api/mails?to=${encodeURIComponent(address)}&limit=1`);
  if (mails[0] === undefined) throw new Error(`No mail to ${address}`);
  const { text } = await ask<{ text: string }>(`/api/mails/${mails[0].id}`);
  return { checkIn: linkIn(text, 'c'), unsubscribe: linkIn(text, 'u') };
}

function linkIn(text: string, page: 'c' | 'u'): string {
  const link = new RegExp(`https?://\\S+/${page}/[\\w.-]+`).exec(text)?.[0];
  if (link === undefined) throw new Error(`No /${page}/ link in: ${text}`);
  return link;
}

async function ask<T>(path: string): Promise<T> {
  return (await fetch(`${product().urls.mail}${path}`)).json() as Promise<T>;
}

import { until } from '../database.ts';
import { product } from './browser.ts';

/** The link of the newest mail to an address whose path begins with `prefix`, for example `/u/`, as soon as it is caught. */
export function linkTo(address: string, prefix: string): Promise<string> {
  return until(`a mail to ${address} is caught`, async () => {
    const { mails } = await ask<{ mails: { id: number }[] }>(`/api/mails?to=${encodeURIComponent(address)}&limit=1`);
    if (mails[0] === undefined) return undefined;
    const { text } = await ask<{ text: string }>(`/api/mails/${mails[0].id}`);
    const link = new RegExp(`https?://\\S+${prefix}[\\w.-]+`).exec(text)?.[0];
    if (link === undefined) throw new Error(`No ${prefix} link in: ${text}`);
    return link;
  });
}

async function ask<T>(path: string): Promise<T> {
  return (await fetch(`${product().urls.mail}${path}`)).json() as Promise<T>;
}

import { until } from '../database.ts';
import { product } from './browser.ts';

/** The newest link to an address whose path begins with `prefix`, for example `/u/`, as soon as its mail is caught. */
export function linkTo(address: string, prefix: string): Promise<string> {
  const pattern = new RegExp(`https?://\\S+${prefix}[\\w.-]+`);
  return until(`a mail to ${address} with a ${prefix} link is caught`, async () => {
    const path = `/api/mails?to=${encodeURIComponent(address)}&limit=${MAILS_READ}`;
    for (const { id } of (await ask<{ mails: { id: number }[] }>(path)).mails) {
      const link = pattern.exec((await ask<{ text: string }>(`/api/mails/${id}`)).text)?.[0];
      if (link !== undefined) return link;
    }
    return undefined;
  });
}

/** The newest ones: several tests ask for mails to the same address. */
const MAILS_READ = 10;

async function ask<T>(path: string): Promise<T> {
  return (await fetch(`${product().urls.mail}${path}`)).json() as Promise<T>;
}

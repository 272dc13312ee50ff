import type { IncomingMessage } from 'node:http';

/**
 * The path as routes know it: without its query and its percent-encoding, and without the origin that clients send to a
 * proxy and that a server must accept (RFC 9112 3.2.2). As it was sent, when it cannot be decoded.
 */
export function pathOf({ url = '/' }: Pick<IncomingMessage, 'url'>): string {
  const path = (url.startsWith('/') ? url : url.replace(ORIGIN, '/')).split('?')[0] as string;
  if (!path.includes('%')) return path;
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

const ORIGIN = /^https?:\/\/[^/?]*\/?/i;

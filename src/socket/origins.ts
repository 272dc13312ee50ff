const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Whether the page that opens a socket is one of ours. Browsers always send the page's origin; other programs send none.
 * The list comes from the configuration, never from the request: a client can send any `Host`.
 * A page of this machine is the same page under each of its names, so `http://localhost:3001` works as
 * `http://127.0.0.1:3001` does.
 */
export function createOriginCheck(addresses: readonly string[]): (origin: string | undefined) => boolean {
  const allowed = new Set(addresses.flatMap(originsOf));
  return (origin) => origin === undefined || allowed.has(origin);
}

function originsOf(address: string): string[] {
  const { origin, hostname } = new URL(address);
  if (!LOOPBACK.includes(hostname)) return [origin];
  return LOOPBACK.map((name) => origin.replace(hostname, name));
}

import type { IncomingMessage } from 'node:http';

/**
 * RFC 9112 3.2: a request names one host, in a form that a host can have; only HTTP/1.0 may leave it out. With two of them
 * a proxy in front and we would each believe another one.
 */
export function hasOneHost({ rawHeaders, headers, httpVersionMinor }: IncomingMessage): boolean {
  let hosts = 0;
  for (let nth = 0; nth < rawHeaders.length; nth += 2) {
    const name = rawHeaders[nth] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  if (hosts === 0) return httpVersionMinor === 0;
  return hosts === 1 && HOST.test(headers.host ?? '');
}

/** A name or an address, and a port; empty where the target has none. */
const HOST = /^(?:[\w.~%!$&'()*+,;=-]+|\[[\da-fv.:]+\])?(?::\d*)?$/i;

/**
 * What it is: a call to an address that a customer has chosen goes to the public Internet, or nowhere.
 * What fails without it: server-side request forgery. Somebody registers `http://169.254.169.254/` and we hand the
 *   machine's credentials, or the database beside us, our requests. A check of the name alone does not help: the name leads
 *   to a public address when it is checked and to 127.0.0.1 when it is called (DNS rebinding).
 * How it works: `parseTarget` reads the text: https, a usual port, no user name, a domain, and an IP address only in its
 *   usual form. `resolveTarget` runs before every call: it asks the DNS once, and the connection is made to the public
 *   ones of these very addresses, while TLS still checks the certificate of the name. An address is public if no registry
 *   of special addresses lists it, and in IPv6 only within 2000::/3, so that addresses which embed one of IPv4 (mapped,
 *   compatible, NAT64, 6to4, Teredo) are refused, whichever it is. The DNS is asked by c-ares, not by getaddrinfo: that
 *   one holds one of the process's four threads for every name that does not answer, and finds `redis` in a search domain
 *   or in /etc/hosts.
 * What it costs: one DNS query per call, and names that only this machine knows. In development, networks can be named
 *   that may be called as well, by http too.
 * Its bound: TARGET_URL_CHARS_MAX, TARGET_PORTS, TARGET_ADDRESSES_MAX, DNS_ANSWER_MS, DNS_TRIES_MAX.
 * Its proof: test/http/ssrf-guard.test.ts, bench/patterns/webhook-delivery.
 */
import { Resolver } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { DNS_ANSWER_MS, DNS_TRIES_MAX, TARGET_ADDRESSES_MAX, TARGET_PORTS, TARGET_URL_CHARS_MAX } from '../limits.ts';

export type ParsedTarget = { readonly url: URL } | { readonly fault: string };

/** The addresses to connect to, none of which needs to be looked up again. */
export type ResolvedTarget = { readonly addresses: readonly Address[] } | { readonly fault: string };

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** All addresses of a name. Rejects when it has none. */
export type Lookup = (name: string) => Promise<readonly string[]>;

/** The networks that may be called although they are not public, in CIDR notation: in production, none. */
export function networksOf(cidrs: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits = ''] = cidr.split('/');
    networks.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return networks;
}

/** `fault` completes the sentence "… cannot be called: it …". Asks no DNS. */
export function parseTarget(text: string, networks: BlockList): ParsedTarget {
  if (text.length > TARGET_URL_CHARS_MAX) return { fault: `has more than ${TARGET_URL_CHARS_MAX} characters` };
  // The URL parser drops line breaks and tabs, and takes a backslash for a slash.
  if (/[\s\\\p{C}]/u.test(text)) return { fault: 'contains a space, a backslash or an invisible character' };
  const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1];
  if (authority === undefined) return { fault: 'does not begin with https://' };
  if (authority.includes('@')) return { fault: 'contains a user name or a password' };
  // The URL parser would skip further slashes and find a name, and a user, behind them.
  if (authority === '' || !URL.canParse(text)) return { fault: 'is not a valid URL' };
  const url = new URL(text);
  url.hash = '';
  const literal = literalOf(url);
  if (literal !== undefined) {
    // 2130706433, 0x7f.1 and 127.1 are 127.0.0.1; only people who want to get past a check write it in this way.
    if (authority.replace(/:\d*$/, '') !== url.hostname)
      return { fault: 'contains an IP address that is not written in its usual form' };
    if (!isCallable(url, literal, networks)) return { fault: 'leads to an address that is not public' };
  }
  if (url.hostname.endsWith('.')) return { fault: 'has a dot at the end of its name' };
  if (literal === undefined && !isName(url.hostname)) return { fault: 'has a host name that is not valid' };
  const fault = networks.rules.length === 0 ? strictFaultOf(url) : undefined;
  return fault === undefined ? { url } : { fault };
}

/** RFC 1035 2.3.4. Otherwise its owner would hear only of calls that fail. */
function isName(hostname: string): boolean {
  return (
    hostname.length <= NAME_CHARS_MAX &&
    hostname.split('.').every((label) => label !== '' && label.length <= LABEL_CHARS_MAX)
  );
}

const NAME_CHARS_MAX = 253;
const LABEL_CHARS_MAX = 63;

/** Before every call, because a name can lead elsewhere by then. `fault` is a sentence. */
export async function resolveTarget(
  url: URL,
  networks: BlockList,
  lookup: Lookup = lookupAddresses,
): Promise<ResolvedTarget> {
  const literal = literalOf(url);
  try {
    const found = literal === undefined ? await lookup(url.hostname) : [literal];
    const callable = found.filter((address) => isCallable(url, address, networks));
    if (callable.length === 0) return { fault: 'The address is not public.' };
    return {
      addresses: callable
        .slice(0, TARGET_ADDRESSES_MAX)
        .map((address) => ({ address, family: isIP(address) === 6 ? 6 : 4 })),
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { fault: code === 'ETIMEOUT' ? 'The DNS does not answer.' : 'The name does not exist in the DNS.' };
  }
}

/** Whether it belongs to the public Internet. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast' || PUBLIC_BUT_LOCAL.has(address)) return false;
  return family === 4 || parsed.match(GLOBAL_UNICAST as [ipaddr.IPv6, number]);
}

/** RFC 4291: all other addresses of IPv6 are special, or not assigned. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');

/** Azure's virtual machines find the platform at this address, which is a public one by its number. */
const PUBLIC_BUT_LOCAL = new Set(['168.63.129.16']);

function isCallable(url: URL, address: string, networks: BlockList): boolean {
  const isNamed = isIP(address) !== 0 && networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return isNamed || (strictFaultOf(url) === undefined && isPublic(address));
}

/** What is accepted only for networks that the configuration names. */
function strictFaultOf(url: URL): string | undefined {
  if (url.protocol !== 'https:') return 'does not begin with https://';
  if (url.port !== '' && !TARGET_PORTS.some((port) => url.port === String(port)))
    return `has a port other than ${TARGET_PORTS.join(' and ')}`;
  if (literalOf(url) === undefined && !url.hostname.includes('.')) return 'has a name without a domain';
  return undefined;
}

function literalOf({ hostname }: URL): string | undefined {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) === 0 ? undefined : address;
}

async function lookupAddresses(name: string): Promise<string[]> {
  // RFC 6761: the DNS is not asked.
  if (name === 'localhost') return ['127.0.0.1', '::1'];
  const resolver = new Resolver({ timeout: DNS_ANSWER_MS, tries: DNS_TRIES_MAX });
  const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  if (four.status === 'rejected' && six.status === 'rejected') throw four.reason;
  return [four, six].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

/**
 * What it is: the address that a client connected from, and the network that limits count it by.
 * What fails without it: one IPv6 customer has 2^64 addresses, and each of them guesses passwords with a budget of its
 *   own; and an IPv4 client counts twice when a dual-stack socket reports it as ::ffff:192.0.2.1.
 * How it works: `clientAddress` believes as many entries of X-Forwarded-For as there are proxies in front, counted from
 *   the right. `networkOf` takes an IPv6 address's first 64 bits, which is what a provider gives to one customer, and
 *   an IPv4 address as a whole, however it is written: also where a translator has put it into an IPv6 address, whose
 *   first 64 bits are then everybody's (RFC 6052), or one customer's 65,536 times (6to4).
 * What it costs: nothing worth measuring, and only where a limit is counted.
 * Its bound: an IPv6 customer with a /56 has 256 networks; limits by account are there for that.
 * Its proof: test/process/client-address.test.ts.
 */
import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/** The client's address; `trustedHops` is how many proxies in front add theirs to X-Forwarded-For. */
export function clientAddress(request: Pick<IncomingMessage, 'headers' | 'socket'>, trustedHops: number): string {
  const peer = request.socket.remoteAddress ?? '';
  const forwarded = trustedHops > 0 ? request.headers['x-forwarded-for'] : undefined;
  if (forwarded === undefined) return peer;
  const hops = [...String(forwarded).split(','), peer];
  return (hops[Math.max(0, hops.length - 1 - trustedHops)] as string).trim();
}

/** `192.0.2.1` for an IPv4 address, `2001:db8:1:2::/64` for an IPv6 address, and one name for everything else. */
export function networkOf(address: string): string {
  const bare = withoutPortAndZone(address);
  if (isIPv4(bare)) return bare;
  if (!isIPv6(bare)) return NOT_AN_ADDRESS;
  const groups = groupsOf(bare);
  const inside = IPV4_INSIDE.find(({ before }) => before.every((group, nth) => groups[nth] === group));
  if (inside !== undefined)
    return groups
      .slice(inside.at, inside.at + 2)
      .flatMap((group) => [group >> 8, group & 255])
      .join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** What begins an IPv6 address with an IPv4 address in it, and at which of its eight numbers that one begins. */
const IPV4_INSIDE: readonly { readonly before: readonly number[]; readonly at: number }[] = [
  { before: [0, 0, 0, 0, 0, 0xffff], at: 6 }, // a dual-stack socket's, RFC 4291
  { before: [0, 0, 0, 0, 0xffff, 0], at: 6 }, // a translator's, RFC 2765
  { before: [0x64, 0xff9b, 0, 0, 0, 0], at: 6 }, // a translator's, RFC 6052
  { before: [0x2002], at: 1 }, // 6to4, RFC 3056
];

/** A forged header could hold any text: all of it shares one budget. */
const NOT_AN_ADDRESS = 'unknown';

/** Some proxies write `192.0.2.1:4711` and `[2001:db8::1]:4711`; link-local addresses end with a zone, `fe80::1%eth0`. */
function withoutPortAndZone(address: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1];
  const ported = /^([\d.]+):\d+$/.exec(address)?.[1];
  return (bracketed ?? ported ?? address).split('%')[0] as string;
}

/** The eight numbers of an IPv6 address. */
function groupsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [a = 0, b = 0, c = 0, d = 0] = dotted?.slice(2).map(Number) ?? [];
  const hex = dotted === null ? address : `${dotted[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  const [before = '', after] = hex.split('::');
  const numbers = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  if (after === undefined) return numbers(before);
  const [start, end] = [numbers(before), numbers(after)];
  return [...start, ...Array<number>(8 - start.length - end.length).fill(0), ...end];
}

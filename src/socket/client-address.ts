import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** The address that limits count by: that of the client, behind `proxyHops` trusted proxies. */
export function clientAddress(request: IncomingMessage, proxyHops: number): string {
  const direct = request.socket.remoteAddress ?? '';
  if (proxyHops === 0) return addressGroup(direct);
  // Each proxy appends the address that called it, so the last entries were written by proxies that we trust.
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((entry) => withoutPort(entry.trim()));
  const client = forwarded.at(-Math.min(proxyHops, forwarded.length)) as string;
  return addressGroup(isIP(client) === 0 ? direct : client);
}

/**
 * An IPv4 address as it is, also when it is mapped into IPv6. Of an IPv6 address the network (/64), because one customer
 * of a provider usually has all addresses of it.
 */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address;
  const groups = groupsOf(address.split('%')[0] as string);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return groups.slice(6).flatMap(bytesOf).join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The eight numbers of an IPv6 address. */
function groupsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [, start = '', a, b, c, d] = dotted ?? [];
  const pair = (high?: string, low?: string) => (Number(high) * 256 + Number(low)).toString(16);
  const hexadecimal = dotted === null ? address : `${start}${pair(a, b)}:${pair(c, d)}`;
  const [front, back] = hexadecimal
    .split('::')
    .map((half) => (half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16))));
  if (front === undefined || back === undefined) return front ?? [];
  return [...front, ...Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0), ...back];
}

function bytesOf(group: number): number[] {
  return [group >> 8, group & 0xff];
}

/** Some proxies append the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry;
}

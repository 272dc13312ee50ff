import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { addressGroup, clientAddress } from '../../src/socket/client-address.ts';

const request = (remoteAddress: string, forwarded?: string) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
])('%s counts as %s', (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

test('without a proxy the header is not believed', () => {
  expect(clientAddress(request('192.0.2.1', '198.51.100.7'), 0)).toBe('192.0.2.1');
});

test.each([
  [1, '203.0.113.9, 198.51.100.7', '198.51.100.7'],
  [2, '203.0.113.9, 198.51.100.7', '203.0.113.9'],
  [3, '203.0.113.9, 198.51.100.7', '203.0.113.9'],
  [1, '198.51.100.7:4711', '198.51.100.7'],
  [1, '[2001:db8:1:2::9]:4711', '2001:db8:1:2::/64'],
  [1, undefined, '192.0.2.1'],
  [1, 'unknown', '192.0.2.1'],
  [1, '198.51.100.7, ', '192.0.2.1'],
])('behind %d proxies that forwarded %s, it is %s', (hops, forwarded, address) => {
  expect(clientAddress(request('192.0.2.1', forwarded), hops)).toBe(address);
});

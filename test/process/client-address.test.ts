import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { clientAddress, networkOf } from '../../src/process/client-address.ts';

describe('the network that a limit counts', () => {
  test.each([
    ['an IPv4 address is a network of its own', '192.0.2.1', '192.0.2.1'],
    ['the first 64 bits of an IPv6 address', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['the same network, shortened', '2001:db8:1:2::60', '2001:db8:1:2::/64'],
    ['in capitals and with leading zeros', '2001:0DB8:0001:0002:0000::A', '2001:db8:1:2::/64'],
    ['shortened in the middle of the network', '2001:db8::1', '2001:db8:0:0::/64'],
    ['this machine', '::1', '0:0:0:0::/64'],
    ['an IPv4 address from a dual-stack socket', '::ffff:192.0.2.1', '192.0.2.1'],
    ['the same in hexadecimal', '::FFFF:c000:201', '192.0.2.1'],
    ['and without shortening', '0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['a zone does not count', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['an IPv4 address with a port', '192.0.2.1:4711', '192.0.2.1'],
    ['an IPv6 address with a port', '[2001:db8:1:2::9]:4711', '2001:db8:1:2::/64'],
    ['an IPv4 address that a translator has put into an IPv6 address', '64:ff9b::192.0.2.1', '192.0.2.1'],
    ['the same in hexadecimal', '64:ff9b::c000:201', '192.0.2.1'],
    ['as older translators do it', '::ffff:0:192.0.2.1', '192.0.2.1'],
    ['a translator’s own prefix, of which nobody knows', '64:ff9b:1::192.0.2.1', '64:ff9b:1:0::/64'],
    ['all 65,536 networks of an IPv4 address with 6to4', '2002:c000:201:7::1', '192.0.2.1'],
    ['text that is not an address', 'anything; drop table', 'unknown'],
    ['nothing', '', 'unknown'],
  ])('%s', (_what, address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('the address of a client', () => {
  const request = (forwarded?: string) => ({
    socket: { remoteAddress: '10.0.0.1' } as Socket,
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  });

  test.each([
    ['without a proxy, the header is not believed', '198.51.100.1', 0, '10.0.0.1'],
    ['one proxy: what it added', '198.51.100.1', 1, '198.51.100.1'],
    ['one proxy: what the client made up before that is not believed', '203.0.113.9, 198.51.100.1', 1, '198.51.100.1'],
    ['two proxies', '203.0.113.9, 198.51.100.1, 192.0.2.5', 2, '198.51.100.1'],
    ['more proxies than entries: the first', '198.51.100.1', 3, '198.51.100.1'],
    ['a proxy that added nothing', undefined, 1, '10.0.0.1'],
  ])('%s', (_what, forwarded, hops, address) => {
    expect(clientAddress(request(forwarded), hops)).toBe(address);
  });
});

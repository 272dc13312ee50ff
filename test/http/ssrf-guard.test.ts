import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPublic, networksOf, parseTarget, resolveTarget } from '../../src/http/ssrf-guard.ts';
import { TARGET_ADDRESSES_MAX, TARGET_URL_CHARS_MAX } from '../../src/limits.ts';

const NONE = networksOf([]);
const LOOPBACK = networksOf(['127.0.0.0/8', '::1/128']);

const faultOf = (text: string, networks = NONE) => {
  const parsed = parseTarget(text, networks);
  return 'fault' in parsed ? parsed.fault : undefined;
};

describe('an address that a customer writes', () => {
  test.each([
    ['https://hooks.example.com/in?token=a%20b', 'https://hooks.example.com/in?token=a%20b'],
    ['https://hooks.example.com', 'https://hooks.example.com/'],
    ['https://HOOKS.Example.com:443/In', 'https://hooks.example.com/In'],
    ['https://hooks.example.com:8443/in#part', 'https://hooks.example.com:8443/in'],
    ['https://bücher.example/in', 'https://xn--bcher-kva.example/in'],
    ['https://1.1.1.1/in', 'https://1.1.1.1/in'],
    ['https://[2606:4700:4700::1111]/in', 'https://[2606:4700:4700::1111]/in'],
  ])('%s is accepted', (text, href) => {
    expect(parseTarget(text, NONE)).toEqual({ url: new URL(href) });
  });

  test.each([
    ['http://hooks.example.com/in', 'does not begin with https://'],
    ['ftp://hooks.example.com/in', 'does not begin with https://'],
    ['file:///etc/passwd', 'does not begin with https://'],
    ['gopher://127.0.0.1:6379/_SET', 'does not begin with https://'],
    ['hooks.example.com/in', 'does not begin with https://'],
    ['//hooks.example.com/in', 'does not begin with https://'],
    ['https:hooks.example.com', 'does not begin with https://'],
    ['https:/hooks.example.com', 'does not begin with https://'],
    ['', 'does not begin with https://'],
    ['https://', 'is not a valid URL'],
    ['https://:443/', 'is not a valid URL'],
    ['https:///hooks.example.com/', 'is not a valid URL'],
    ['https:///ada:secret@hooks.example.com/', 'is not a valid URL'],
    ['https://hooks.example.com:99999/', 'is not a valid URL'],
    ['https://1.2.3.4.5/', 'is not a valid URL'],
    ['https://[::1', 'is not a valid URL'],
    ['https://[fe80::1%25eth0]/', 'is not a valid URL'],
    ['https://ada@hooks.example.com/', 'contains a user name or a password'],
    ['https://ada:secret@hooks.example.com/', 'contains a user name or a password'],
    ['https://hooks.example.com@169.254.169.254/', 'contains a user name or a password'],
    ['https://@hooks.example.com/', 'contains a user name or a password'],
    ['https://hooks.example.com\\@169.254.169.254/', 'contains a space, a backslash or an invisible character'],
    ['https:\\\\169.254.169.254\\', 'contains a space, a backslash or an invisible character'],
    ['https://hooks.exam\nple.com/', 'contains a space, a backslash or an invisible character'],
    ['https://hooks.example.com/a b', 'contains a space, a backslash or an invisible character'],
    ['https://hooks.example.com/\u200b', 'contains a space, a backslash or an invisible character'],
    ['https://hooks.example.com./', 'has a dot at the end of its name'],
    ['https://hooks..example.com/', 'has a host name that is not valid'],
    ['https://.example.com/', 'has a host name that is not valid'],
    [`https://${'x'.repeat(64)}.example.com/`, 'has a host name that is not valid'],
    [`https://${'x.'.repeat(127)}com/`, 'has a host name that is not valid'],
    ['https://redis/', 'has a name without a domain'],
    ['https://localhost/', 'has a name without a domain'],
    ['https://hooks.example.com:80/', 'has a port other than 443 and 8443'],
    ['https://hooks.example.com:25/', 'has a port other than 443 and 8443'],
    ['https://hooks.example.com:6379/', 'has a port other than 443 and 8443'],
    [`https://hooks.example.com/${'x'.repeat(TARGET_URL_CHARS_MAX)}`, 'has more than 1000 characters'],
  ])('%j is refused in words', (text, fault) => {
    expect(faultOf(text)).toBe(fault);
  });

  test.each([
    'https://127.0.0.1/',
    'https://127.255.255.254:8443/',
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.64.0.1/',
    'https://100.100.100.200/',
    'https://168.63.129.16/metadata',
    'https://0.0.0.0/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://[::]/',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::7f00:1]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[fd00:ec2::254]/',
    'https://[fe80::1]/',
    'https://[ff02::1]/',
  ])('%s leads to an address that is not public', (text) => {
    expect(faultOf(text)).toBe('leads to an address that is not public');
  });

  test.each([
    ['decimal', 'https://2130706433/'],
    ['decimal, of a public address', 'https://16843009/'],
    ['hexadecimal', 'https://0x7f000001/'],
    ['hexadecimal in parts', 'https://0x7f.0x0.0x0.0x1/'],
    ['octal', 'https://0177.0.0.1/'],
    ['octal with more zeros', 'https://00000177.0.0.01/'],
    ['two parts', 'https://127.1/'],
    ['three parts', 'https://127.0.1/'],
    ['a dot at the end', 'https://127.0.0.1./'],
    ['percent signs', 'https://127%2e0%2e0%2e1/'],
    ['digits in circles', 'https://①②⑦.⓪.⓪.①/'],
    ['ideographic full stops', 'https://127。0。0。1/'],
    ['full-width digits', 'https://１２７.0.0.1/'],
    ['IPv6 with an IPv4 tail', 'https://[::ffff:127.0.0.1]/'],
    ['IPv6 with its zeros', 'https://[0:0:0:0:0:0:0:1]/'],
    ['IPv6 of a public address with its zeros', 'https://[2606:4700:4700:0:0:0:0:1111]/'],
  ])('an IP address that is written in another form is refused: %s', (_, text) => {
    expect(faultOf(text)).toBe('contains an IP address that is not written in its usual form');
  });

  test('whatever is accepted is https, has no user name, and is no special address', () => {
    const hosts = fc.oneof(
      fc.ipV4(),
      fc.ipV4Extended(),
      fc.ipV6().map((one) => `[${one}]`),
      fc.stringMatching(/^[\w.:@[\]%-]{1,30}$/),
      fc.stringMatching(/^[a-z\d]{1,8}(\.[a-z\d]{1,8}){0,3}(:\d{1,5})?$/),
    );
    const schemes = fc.constantFrom('https://', 'http://', 'https:', '//', 'https://a@', 'https:///a:b@');
    fc.assert(
      fc.property(schemes, hosts, (scheme, host) => {
        const parsed = parseTarget(`${scheme}${host}/in`, NONE);
        if ('fault' in parsed) return;
        const { protocol, username, password, port, hostname } = parsed.url;
        expect([protocol, username + password]).toEqual(['https:', '']);
        expect(['', '8443']).toContain(port);
        const literal = hostname.replace(/^\[|\]$/g, '');
        if (/^[\d.]+$|:/.test(literal)) expect(isPublic(literal)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('an IP address', () => {
  test.each([
    ...['0.0.0.0', '0.255.255.255', '10.0.0.0', '10.255.255.255', '100.64.0.0', '100.127.255.255', '127.0.0.1'],
    ...['127.255.255.255', '169.254.0.1', '169.254.169.254', '172.16.0.0', '172.31.255.255', '192.0.0.192'],
    ...['192.0.2.1', '192.88.99.1', '192.168.0.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1'],
    ...['239.255.255.255', '240.0.0.1', '255.255.255.255', '168.63.129.16'],
    ...['::', '::1', '::2', '::7f00:1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:0:127.0.0.1'],
    ...['64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::a00:1', '100::1', '2001::1', '2001:db8::1', '2002:7f00:1::'],
    ...['2002:a9fe:a9fe::1', '3fff::1', '4000::1', '5f00::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0'],
    ...['fec0::1', 'ff02::1', 'ff0e::1', 'not an address', '', '1.2.3', '8.8.8.8.8'],
  ])('%j is not public', (address) => {
    expect(isPublic(address)).toBe(false);
  });

  test.each([
    ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
    ...['128.0.0.1', '169.253.255.255', '172.15.255.255', '172.32.0.0', '192.167.255.255', '223.255.255.255'],
    ...['2606:4700:4700::1111', '2a00:1450:4001::200e', '2001:4860:4860::8888'],
  ])('%s is public', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  test('that embeds another one is not public, whatever it embeds', () => {
    const hex = fc.integer({ min: 0, max: 0xffff }).map((part) => part.toString(16));
    fc.assert(
      fc.property(fc.constantFrom('::ffff', '::', '::ffff:0', '64:ff9b:', '2002'), hex, hex, (prefix, high, low) => {
        const address = prefix === '2002' ? `2002:${high}:${low}::1` : `${prefix}:${high}:${low}`.replace(/:::/, '::');
        expect(isPublic(address), address).toBe(false);
      }),
    );
  });
});

describe('before a call', () => {
  const URL_OF_NAME = new URL('https://hooks.example.com/');
  const leadingTo =
    (...addresses: string[]) =>
    async () =>
      addresses;

  test('the name is resolved once, and only its public addresses are left', async () => {
    const asked: string[] = [];
    const resolved = await resolveTarget(URL_OF_NAME, NONE, async (name) => {
      asked.push(name);
      return ['10.0.0.1', '1.1.1.1', '::1', '2606:4700:4700::1111', '::ffff:10.0.0.1'];
    });
    expect(asked).toEqual(['hooks.example.com']);
    expect(resolved).toEqual({
      addresses: [
        { address: '1.1.1.1', family: 4 },
        { address: '2606:4700:4700::1111', family: 6 },
      ],
    });
  });

  test('a name that leads to nothing public is refused', async () => {
    expect(await resolveTarget(URL_OF_NAME, NONE, leadingTo('127.0.0.1', '169.254.169.254'))).toEqual({
      fault: 'The address is not public.',
    });
  });

  test('of very many addresses a few are kept', async () => {
    const many = Array.from({ length: 100 }, (_, last) => `1.1.1.${last}`);
    const resolved = await resolveTarget(URL_OF_NAME, NONE, leadingTo(...many));
    expect('addresses' in resolved && resolved.addresses).toHaveLength(TARGET_ADDRESSES_MAX);
  });

  test('an address in the URL is checked again, without the DNS', async () => {
    const never = () => Promise.reject(new Error('asked'));
    expect(await resolveTarget(new URL('https://10.0.0.1/'), NONE, never)).toEqual({
      fault: 'The address is not public.',
    });
    expect(await resolveTarget(new URL('https://[2606:4700:4700::1111]/'), NONE, never)).toEqual({
      addresses: [{ address: '2606:4700:4700::1111', family: 6 }],
    });
  });

  test('a name that does not exist, and a DNS that does not answer, are told apart', async () => {
    const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));
    expect(await resolveTarget(URL_OF_NAME, NONE, failing('ENOTFOUND'))).toEqual({
      fault: 'The name does not exist in the DNS.',
    });
    expect(await resolveTarget(URL_OF_NAME, NONE, failing('ETIMEOUT'))).toEqual({ fault: 'The DNS does not answer.' });
  });

  test('localhost is never asked of the DNS, and is not public', async () => {
    expect(await resolveTarget(new URL('https://localhost/'), NONE)).toEqual({ fault: 'The address is not public.' });
  });
});

describe('networks that the configuration names', () => {
  test.each(['http://127.0.0.1:4000/in', 'http://[::1]:4000/', 'http://localhost:4000/', 'https://127.8.8.8/'])(
    '%s may be called',
    async (text) => {
      const parsed = parseTarget(text, LOOPBACK);
      if ('fault' in parsed) throw new Error(parsed.fault);
      expect(await resolveTarget(parsed.url, LOOPBACK)).toHaveProperty('addresses');
    },
  );

  test('do not open any other address, nor public ones by http or at another port', async () => {
    expect(faultOf('http://10.0.0.1/', LOOPBACK)).toBe('leads to an address that is not public');
    expect(faultOf('http://1.1.1.1/', LOOPBACK)).toBe('leads to an address that is not public');
    for (const text of ['http://hooks.example.com/', 'https://hooks.example.com:6379/', 'https://hooks/'])
      expect(await resolveTarget(new URL(text), LOOPBACK, async () => ['1.1.1.1']), text).toEqual({
        fault: 'The address is not public.',
      });
  });
});

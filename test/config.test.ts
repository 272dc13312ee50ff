import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { StartError } from '../src/errors.ts';

const NEEDED = {
  DATABASE_URL: 'postgres://app:database-password@db.internal:5432/app',
  REDIS_URL: 'redis://:redis-password@redis.internal:6379',
  SMTP_URL: 'smtp://mail:smtp-password@127.0.0.1:587',
  SECRET_KEY: 'secret-key-of-more-than-thirty-two-characters',
};
const PUBLIC = {
  ...NEEDED,
  SMTP_URL: 'smtp://mail:smtp-password@mail.internal:587',
  SECRET_KEY: '8d0d0b6f3a5e4c0f9f1d2b7c6a9e8f7d5c4b3a2918273645',
  API_URL: 'https://app.acme.com',
  CHAT_URL: 'https://chat.acme.com',
  MAIL_FROM: 'Acme <hello@acme.com>',
};

test('four variables are enough, the rest has a default', () => {
  expect(loadConfig(NEEDED)).toEqual({
    databaseUrl: NEEDED.DATABASE_URL,
    databaseMigrateUrl: NEEDED.DATABASE_URL,
    databaseReplicaUrl: undefined,
    requestsPerMinute: 6_000,
    operators: [],
    alertMailTo: [],
    diskPath: '/',
    lastExit: '',
    lameDuckMs: 500,
    redisUrl: NEEDED.REDIS_URL,
    smtpUrl: NEEDED.SMTP_URL,
    secretKey: NEEDED.SECRET_KEY,
    host: '127.0.0.1',
    apiPort: 3000,
    chatPort: 3001,
    mailerPort: 3002,
    apiUrl: 'http://127.0.0.1:3000',
    chatUrl: 'http://127.0.0.1:3001',
    mailFrom: 'Tardigrade <hello@tardigrade.test>',
    mailPerSecond: 500,
    smtpTls: 'offered',
    mailBounceDomain: undefined,
    mailBouncePort: 2525,
    mailWebhookSecret: undefined,
    dkimKey: undefined,
    dkimSelector: 'mail',
    mailPerDomainPerSecond: 0,
    environment: 'unmarked',
    logLevel: 'info',
    instances: { api: 1, mailer: 1, chat: 1, all: 0 },
    trustProxyHops: 0,
    socketOrigins: [],
    socketsPerAddress: 6_000,
    webhookNetworks: [],
    telemetryShare: 1,
  });
});

test('a variable that is set replaces the default', () => {
  const config = loadConfig({
    ...NEEDED,
    DATABASE_MIGRATE_URL: 'postgresql://owner@db.internal/app',
    DATABASE_REPLICA_URL: 'postgresql://app@replica.internal/app',
    API_PORT: '8080',
    API_URL: 'https://dashboard.example.com//',
    MAIL_FROM: 'ask@example.com',
    LOG_LEVEL: 'warn',
    TRUST_PROXY_HOPS: '2',
    SOCKET_ORIGINS: 'https://www.example.com, https://app.example.com/',
    SOCKETS_PER_ADDRESS: '200',
  });
  expect(config).toMatchObject({
    socketOrigins: ['https://www.example.com', 'https://app.example.com/'],
    socketsPerAddress: 200,
    databaseMigrateUrl: 'postgresql://owner@db.internal/app',
    databaseReplicaUrl: 'postgresql://app@replica.internal/app',
    apiPort: 8080,
    apiUrl: 'https://dashboard.example.com', // links are made by adding a path
    mailFrom: 'ask@example.com',
    logLevel: 'warn',
    trustProxyHops: 2,
  });
});

test('alerts go to each address that is listed, and a list with something else is refused by name', () => {
  const ALERT_MAIL_TO = 'Ada@Acme.com, ben@acme.com';
  expect(loadConfig({ ...NEEDED, ALERT_MAIL_TO }).alertMailTo).toEqual(['ada@acme.com', 'ben@acme.com']);
  expect(() => loadConfig({ ...NEEDED, ALERT_MAIL_TO: 'ada@acme.com, ben' })).toThrow(/ALERT_MAIL_TO holds "ben"/);
});

test('those who run the platform are a list of addresses, written in whatever way, and nobody where there is none', () => {
  const OPERATORS = 'Ada@Acme.com, ben@acme.com,';
  expect(loadConfig({ ...NEEDED, OPERATORS }).operators).toEqual(['ada@acme.com', 'ben@acme.com']);
  expect(loadConfig({ ...NEEDED, OPERATORS: ' ' }).operators).toEqual([]);
});

test('a list of operators that is not addresses, or too long, is refused by name', () => {
  const many = Array.from({ length: 21 }, (_, nth) => `operator-${nth}@acme.com`).join(',');
  expect(faultsOf({ ...NEEDED, OPERATORS: 'ada@acme.com, acme.com' })).toEqual([
    expect.stringContaining('OPERATORS holds "acme.com"'),
  ]);
  expect(faultsOf({ ...NEEDED, OPERATORS: many })).toEqual(['OPERATORS has 21 addresses; 20 are the most']);
});

test('in production nobody whose password or mailbox is public runs the platform', () => {
  const OPERATORS = 'ada@acme.com, owner@tardigrade.test';
  expect(faultsOf({ ...PUBLIC, OPERATORS })).toEqual([
    expect.stringContaining('OPERATORS holds "owner@tardigrade.test", which is at a name for tests'),
  ]);
  expect(loadConfig({ ...PUBLIC, OPERATORS: 'ada@acme.com' }).operators).toEqual(['ada@acme.com']);
  expect(loadConfig({ ...NEEDED, OPERATORS }).operators).toHaveLength(2);
});

test.each(['-0.1', '1.5', 'half', 'NaN'])('a share of traces of %s is refused', (OTEL_TRACES_SAMPLER_ARG) => {
  expect(faultsOf({ ...NEEDED, OTEL_TRACES_SAMPLER_ARG })).toEqual([expect.stringContaining('from 0 to 1')]);
});

test('the certificate for bounces comes with its key', () => {
  const both = { MAIL_BOUNCE_CERTIFICATE: '/etc/cert.pem', MAIL_BOUNCE_KEY: '/etc/key.pem' };
  expect(loadConfig({ ...NEEDED, ...both })).toMatchObject({ mailBounceCertificate: '/etc/cert.pem' });
  expect(() => loadConfig({ ...NEEDED, MAIL_BOUNCE_KEY: '/etc/key.pem' })).toThrow(/are set together, or not at all/);
});

test('the configuration cannot be changed while the process runs', () => {
  const config = loadConfig(NEEDED) as { apiPort: number };
  expect(() => {
    config.apiPort = 1;
  }).toThrow(TypeError);
});

test('an empty variable counts as not set', () => {
  const config = loadConfig({ ...NEEDED, DATABASE_REPLICA_URL: '', API_PORT: '  ', MAIL_FROM: '' });
  expect(config).toMatchObject({ databaseReplicaUrl: undefined, apiPort: 3000 });
  expect(faultsOf({ ...NEEDED, SECRET_KEY: ' ' })).toEqual([expect.stringMatching(/^SECRET_KEY is missing/)]);
});

test('all faults are reported at once, so that one deploy is enough to fix them', () => {
  const faults = faultsOf({
    SECRET_KEY: 'short',
    REDIS_URL: 'localhost:6379',
    API_PORT: 'http',
    LOG_LEVEL: 'loud',
    MAIL_FROM: 'nobody',
    SOCKET_ORIGINS: 'https://www.example.com,example.com',
  });
  expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
    'DATABASE_URL',
    'REDIS_URL',
    'SMTP_URL',
    'SECRET_KEY',
    'API_PORT',
    'MAIL_FROM',
    'SOCKET_ORIGINS',
    'LOG_LEVEL',
  ]);
});

test('a fault says how to fix it', () => {
  expect(faultsOf({ ...NEEDED, DATABASE_URL: undefined })[0]).toContain('set it to a postgres://… address');
  expect(faultsOf({ ...NEEDED, SECRET_KEY: undefined })[0]).toContain('openssl rand -hex 32');
  expect(faultsOf({ ...NEEDED, LOG_LEVEL: 'loud' })[0]).toContain('one of trace, debug, info, warn, error');
});

test('the message never repeats addresses or secrets, because it goes to logs', () => {
  const message = messageOf({
    DATABASE_URL: 'mysql://app:database-password@db.internal/app',
    DATABASE_REPLICA_URL: 'app:replica-password@db.internal',
    REDIS_URL: 'http://:redis-password@redis.internal',
    SMTP_URL: 'mail:smtp-password@mail.internal',
    SECRET_KEY: 'short-secret',
    // Two variables swapped: then this one holds the password.
    API_URL: 'postgres://app:swapped-password@db.internal/app',
    CHAT_URL: 'swapped-password',
  });
  expect(message).toContain('7 faults');
  expect(message).not.toMatch(/password|short-secret|internal/);
});

test.each(['0', '65536', '-1', '3000.5', '3e3', '0x50', '30 00', 'Infinity', 'NaN', '٣'])(
  'port %j is refused',
  (port) => {
    expect(faultsOf({ ...NEEDED, CHAT_PORT: port })).toEqual([expect.stringContaining('from 1 to 65535')]);
  },
);

test.each([
  'Acme <ask@example.com>\r\nBcc: everybody@example.com',
  'Acme\n<ask@example.com>',
  'ask@example.com\rX: y',
  'a <b@c> <d@e>',
  'Acme <ask>',
])('sender %j is refused: it could add headers, or is not an address', (sender) => {
  expect(faultsOf({ ...NEEDED, MAIL_FROM: sender })).toEqual([expect.stringMatching(/^MAIL_FROM must be an address/)]);
});

test('networks that webhooks may call are read in development, and refused in production', () => {
  expect(loadConfig({ ...NEEDED, WEBHOOK_NETWORKS: '127.0.0.0/8, ::1/128' })).toMatchObject({
    webhookNetworks: ['127.0.0.0/8', '::1/128'],
  });
  for (const wrong of ['127.0.0.1', '127.0.0.0/33', '127.0.0.0/8/8', 'localhost/8', '::1/129'])
    expect(faultsOf({ ...NEEDED, WEBHOOK_NETWORKS: wrong }), wrong).toEqual([
      expect.stringContaining('is not a network like 127.0.0.0/8'),
    ]);
  expect(faultsOf({ ...PUBLIC, WEBHOOK_NETWORKS: '127.0.0.0/8' })).toEqual([
    expect.stringMatching(/^WEBHOOK_NETWORKS lets customers have us call what is not public/),
  ]);
});

test('production with everything set starts', () => {
  for (const environment of [PUBLIC, { ...PUBLIC, NODE_ENV: 'production', SMTP_URL: NEEDED.SMTP_URL }])
    expect(loadConfig(environment)).toMatchObject({ apiUrl: 'https://app.acme.com' });
});

test.each([
  [{ ...NEEDED, NODE_ENV: 'production' }, 'NODE_ENV says so'],
  [{ ...NEEDED, SMTP_URL: 'smtps://smtp.provider.com:465' }, 'SMTP_URL leads to a server that is not on this machine'],
  [{ ...NEEDED, SMTP_URL: 'smtp://10.0.0.7:25', NODE_ENV: 'staging' }, 'SMTP_URL leads to a server'],
])('with the defaults of development, %j is refused by the name of each variable', (environment, because) => {
  expect(messageOf(environment)).toContain(`The environment has 4 faults (this is production: ${because}`);
  const faults = faultsOf(environment);
  expect(faults.map((fault) => fault.split(' ')[0])).toEqual(['SECRET_KEY', 'API_URL', 'CHAT_URL', 'MAIL_FROM']);
  for (const fault of faults.slice(1)) expect(fault).toContain('is missing: set it to');
});

test.each([
  'https://127.0.0.1',
  'https://127.1',
  'https://[::1]:3000',
  'https://[::ffff:127.0.0.1]',
  'https://0.0.0.0:3000',
  'https://localhost',
  'https://LOCALHOST.',
  'https://app.localhost',
  'https://tardigrade.test',
  'https://app.example.com',
  'https://app.example',
  'http://app.acme.com',
])('in production people must be able to reach %s safely, so it is refused', (url) => {
  expect(faultsOf({ ...PUBLIC, API_URL: url, CHAT_URL: url })).toEqual([
    expect.stringMatching(/^API_URL .*: set it to the https:\/\/ address/),
    expect.stringMatching(/^CHAT_URL .*: set it to the https:\/\/ address/),
  ]);
});

test.each([
  'https://app.acme.com',
  'https://latest.dev',
  'https://attest.io:8443',
  'https://example.de',
  'https://10.1.2.3',
])('%s is a public address', (url) => {
  expect(loadConfig({ ...PUBLIC, API_URL: url }).apiUrl).toBe(url);
});

test.each(['Tardigrade <hello@tardigrade.test>', 'me@app.localhost', 'a@mail.example.org', 'A <a@EXAMPLE.com>'])(
  'in production the sender %s is refused',
  (sender) => {
    expect(faultsOf({ ...PUBLIC, MAIL_FROM: sender })).toEqual([
      expect.stringMatching(/^MAIL_FROM is at a name for tests/),
    ]);
  },
);

test.each([
  'x'.repeat(40),
  '0123456'.repeat(6),
  'change-me-change-me-change-me-please',
  'a secret key for tests, longer than 32 characters',
])('in production the key %j is refused without repeating it', (key) => {
  expect(faultsOf({ ...PUBLIC, SECRET_KEY: key })).toEqual([
    expect.stringMatching(/^SECRET_KEY reads like an example/),
  ]);
  expect(messageOf({ ...PUBLIC, SECRET_KEY: key })).not.toContain(key);
});

test.each([
  { SMTP_URL: 'smtp://localhost:1025' },
  { SMTP_URL: 'smtp://[::1]:1025' },
  { SMTP_URL: 'smtp://mail.test:1025' },
  { SMTP_URL: 'smtp://mailpit:1025', NODE_ENV: 'development' },
])('%j is a mail catcher, and the defaults are good enough for it', (smtp) => {
  expect(loadConfig({ ...NEEDED, ...smtp }).apiUrl).toBe('http://127.0.0.1:3000');
});

test('a value that is not valid is reported once', () => {
  expect(faultsOf({ ...PUBLIC, API_URL: 'nonsense', SECRET_KEY: 'short' })).toHaveLength(2);
});

test('a key for DKIM is read from a variable or from a file', () => {
  const pem = rsaKey(2048);
  expect(loadConfig({ ...NEEDED, DKIM_KEY: pem }).dkimKey).toBe(pem);
  expect(loadConfig({ ...NEEDED, DKIM_KEY: pem.replaceAll('\n', '\\n') }).dkimKey).toBe(pem);
  const file = join(mkdtempSync(join(tmpdir(), 'dkim-')), 'key.pem');
  writeFileSync(file, pem);
  expect(loadConfig({ ...NEEDED, DKIM_KEY: file }).dkimKey).toBe(pem);
});

test.each([
  [
    'a file that is not there',
    '/nowhere/dkim.pem',
    /neither a private key in PEM nor a file with one that can be read \(ENOENT\)/,
  ],
  [
    'a text that is not a key',
    '-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----',
    /neither a private key/,
  ],
  ['a key of another kind', ed25519Key(), /is not an RSA key/],
  ['a short key', rsaKey(512), /fewer than 1024 bits/],
])('%s is refused at start, because mails would go out unsigned', (_, key, fault) => {
  const faults = faultsOf({ ...NEEDED, DKIM_KEY: key });
  expect(faults).toEqual([expect.stringMatching(fault)]);
  expect(faults.join()).not.toContain('nonsense');
});

test('a certificate that nobody checks is for development only', () => {
  expect(loadConfig({ ...NEEDED, SMTP_TLS: 'unchecked' }).smtpTls).toBe('unchecked');
  expect(faultsOf({ ...PUBLIC, SMTP_TLS: 'unchecked' })).toEqual([expect.stringMatching(/^SMTP_TLS is unchecked/)]);
  expect(faultsOf({ ...NEEDED, SMTP_TLS: 'off' })).toEqual([expect.stringMatching(/^SMTP_TLS is "off"/)]);
});

test('the address of the mail server cannot turn the check of its certificate off', () => {
  for (const setting of ['tls.rejectUnauthorized=false', 'ignoreTLS=true'])
    expect(faultsOf({ ...NEEDED, SMTP_URL: `${NEEDED.SMTP_URL}?${setting}` })).toEqual([
      expect.stringMatching(/^SMTP_URL has settings after the \?/),
    ]);
});

test.each([
  ['DATABASE_URL', 'postgres://app:50%@db.internal/app', 'cannot be read as an address'],
  ['DATABASE_URL', 'postgres:db.internal:5432', 'must be an address that starts with postgres://'],
  ['DATABASE_URL', 'postgres://app:a#b@db.internal/app', 'cannot be read as an address'],
  ['DATABASE_URL', `${NEEDED.DATABASE_URL}?sslmode=require&statement_timeout=0`, 'depend on'],
  ['DATABASE_REPLICA_URL', `${NEEDED.DATABASE_URL}?query_timeout=100`, 'depend on'],
  ['REDIS_URL', 'redis://:50%@redis.internal', 'cannot be read as an address'],
  ['REDIS_URL', 'redis://:a/b@redis.internal', 'cannot be read as an address'],
  ['REDIS_URL', 'redis:redis.internal', 'must be an address that starts with redis://'],
  ['REDIS_URL', 'redis://', 'names no host'],
  ['REDIS_URL', 'redis://redis.internal/cache', 'the number of a database'],
  ['REDIS_URL', 'redis://redis.internal/1/', 'the number of a database'],
  ['REDIS_URL', 'redis://redis.internal?enableOfflineQueue=true', 'has settings after the ? (enableOfflineQueue)'],
  ['SMTP_URL', 'smtp://mail:50%@mail.internal', 'cannot be read as an address'],
  ['SMTP_URL', 'smtp:mail.internal:25', 'must be an address that starts with smtp://'],
  ['SMTP_URL', 'smtp://', 'names no host'],
])('%s=%s is refused in a sentence, and not by the library that gets it', (name, value, fault) => {
  expect(faultsOf({ ...NEEDED, NODE_ENV: 'development', [name]: value })).toEqual([
    expect.stringMatching(new RegExp(`^${name} .*${RegExp.escape(fault)}`)),
  ]);
});

test.each([
  ['DATABASE_URL', 'postgres://app:p%40ss%2Fw%23rd@db.internal/app?sslmode=verify-full&application_name=x'],
  ['DATABASE_URL', 'postgresql:///app?host=/var/run/postgresql'],
  ['REDIS_URL', 'rediss://default:a@b:c@redis.internal:6380/2'],
  ['REDIS_URL', 'redis://[::1]:6379/'],
  ['SMTP_URL', 'SMTPS://mail%40acme.com:p%3Fss@[::1]'],
])('%s=%s is read', (name, value) => {
  expect(() => loadConfig({ ...NEEDED, NODE_ENV: 'development', [name]: value })).not.toThrow();
});

test.each([
  ['https://app.acme.com/?x=1', 'has a ? or a # in it'],
  ['https://app.acme.com/#top', 'has a ? or a # in it'],
  ['https://me:secret@app.acme.com', 'has a user name in it'],
  ['https:app.acme.com', 'must be an http:// or https:// address'],
])('nothing can be appended to an API_URL of %s, so it is refused', (API_URL, fault) => {
  expect(faultsOf({ ...PUBLIC, API_URL })).toEqual([expect.stringContaining(`API_URL ${fault}`)]);
});

test.each(['nonsense', 'a b.test', '@bounces.test', 'mail..test'])('%j is not a domain for bounces', (domain) => {
  expect(faultsOf({ ...NEEDED, MAIL_BOUNCE_DOMAIN: domain })).toEqual([
    expect.stringMatching(/^MAIL_BOUNCE_DOMAIN must be a domain/),
  ]);
});

test.each(['secret', 'whsec_', 'whsec_c2hvcnQ=', 'whsec_***'])('%j does not sign a webhook', (secret) => {
  expect(faultsOf({ ...NEEDED, MAIL_WEBHOOK_SECRET: secret })).toEqual([
    expect.stringMatching(/^MAIL_WEBHOOK_SECRET must be whsec_/),
  ]);
});

function rsaKey(modulusLength: number): string {
  return pemOf(generateKeyPairSync('rsa', { modulusLength }).privateKey);
}

function ed25519Key(): string {
  return pemOf(generateKeyPairSync('ed25519').privateKey);
}

function pemOf(key: KeyObject): string {
  return (key.export({ type: 'pkcs8', format: 'pem' }) as string).trim();
}

function messageOf(environment: Record<string, string | undefined>): string {
  try {
    loadConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(StartError);
    return (error as StartError).message;
  }
  throw new Error('The environment was accepted');
}

function faultsOf(environment: Record<string, string | undefined>): string[] {
  return messageOf(environment)
    .split('\n')
    .slice(1)
    .map((line) => line.replace(/^ {2}- /, ''));
}

test('a secret can be a file that systemd has put there; a variable of the same name wins, and nothing else is read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'credentials-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries({ ...NEEDED, API_PORT: '1234' }))
    writeFileSync(join(folder, name), `${text}\n`);
  const config = loadConfig({ CREDENTIALS_DIRECTORY: folder, REDIS_URL: 'redis://elsewhere:6379' });
  expect(config).toMatchObject({ databaseUrl: NEEDED.DATABASE_URL, redisUrl: 'redis://elsewhere:6379', apiPort: 3000 });
});

test('a secret whose file cannot be read is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'credentials-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'SECRET_KEY'));
  const environment = { ...NEEDED, SECRET_KEY: undefined, CREDENTIALS_DIRECTORY: folder };
  expect(() => loadConfig(environment)).toThrow(
    new StartError(`${join(folder, 'SECRET_KEY')} cannot be read (EISDIR).`),
  );
});

test('what is marked as staging sends to a mail catcher, or does not start', () => {
  expect(loadConfig({ ...NEEDED, ENVIRONMENT: 'staging' }).environment).toBe('staging');
  expect(loadConfig({ ...NEEDED, ENVIRONMENT: 'staging', SMTP_URL: 'smtp://mail.test:1025' }).environment).toBe(
    'staging',
  );
  expect(() => loadConfig({ ...PUBLIC, ENVIRONMENT: 'staging' })).toThrow(
    /ENVIRONMENT is staging and SMTP_URL leads to a real mail server/,
  );
  expect(() => loadConfig({ ...NEEDED, ENVIRONMENT: 'stage' })).toThrow(/ENVIRONMENT/);
});

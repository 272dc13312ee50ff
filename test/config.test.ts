import { expect, test } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { StartError } from '../src/errors.ts';

const NEEDED = {
  DATABASE_URL: 'postgres://app:database-password@db.internal:5432/app',
  REDIS_URL: 'redis://:redis-password@redis.internal:6379',
  SMTP_URL: 'smtp://mail:smtp-password@mail.internal:587',
  SECRET_KEY: 'secret-key-of-more-than-thirty-two-characters',
};

test('four variables are enough, the rest has a default', () => {
  expect(loadConfig(NEEDED)).toEqual({
    databaseUrl: NEEDED.DATABASE_URL,
    databaseMigrateUrl: NEEDED.DATABASE_URL,
    databaseReplicaUrl: undefined,
    requestsPerMinute: 6_000,
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
    logLevel: 'info',
    instances: { api: 1, mailer: 1, chat: 1, all: 0 },
    trustProxyHops: 0,
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
  });
  expect(config).toMatchObject({
    databaseMigrateUrl: 'postgresql://owner@db.internal/app',
    databaseReplicaUrl: 'postgresql://app@replica.internal/app',
    apiPort: 8080,
    apiUrl: 'https://dashboard.example.com', // links are made by adding a path
    mailFrom: 'ask@example.com',
    logLevel: 'warn',
    trustProxyHops: 2,
  });
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
  });
  expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
    'DATABASE_URL',
    'REDIS_URL',
    'SMTP_URL',
    'SECRET_KEY',
    'API_PORT',
    'MAIL_FROM',
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

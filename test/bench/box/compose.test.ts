import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { readComposeLimits } from '../../../bench/box/compose-limits.ts';
import { serverSettings } from '../../../scripts/embedded/postgres-settings.ts';
import { loadConfig, VARIABLES } from '../../../src/config.ts';

const PARTS = ['primary', 'replica', 'redis', 'mail', 'migrate', 'api', 'mailer', 'chat', 'balancer'];

type Service = {
  scale?: string;
  build?: unknown;
  command?: string[];
  environment?: Record<string, string>;
  healthcheck?: unknown;
  depends_on?: Record<string, unknown>;
};
type Compose = { services: Record<string, Service>; configs: Record<string, { content: string }> };

const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as Compose;

/** What a service of the image gets when compose itself runs with `outer`. */
function environmentOf(service: string, outer: Record<string, string>): Record<string, string> {
  const filledIn = (text: unknown) =>
    String(text).replace(/\$\{(\w+)(?::([-+?])([^}]*))?\}/g, (_, name: string, operator: string, word: string) => {
      const value = outer[name] ?? '';
      if (operator === '+') return value && word;
      return operator === '-' ? value || word : value;
    });
  const own = Object.entries(compose.services[service]?.environment ?? {});
  return { NODE_ENV: 'production', ...Object.fromEntries(own.map(([name, text]) => [name, filledIn(text)])) };
}

describe('docker-compose.yml', () => {
  test('gives every part of the product a nano, and none of them anything else', () => {
    const { nano, parts } = readComposeLimits();
    expect(nano).toEqual({ memoryBytes: 512 * 2 ** 20, cpus: 2 });
    expect([...parts.keys()].sort()).toEqual(PARTS.toSorted());
    for (const [name, { cpuShares, ...limits }] of parts) {
      expect(limits, name).toEqual(nano);
      // Who is not waited for, and who stands for a server elsewhere, comes second where CPUs are contended.
      expect(cpuShares, name).toBe(['mailer', 'mail'].includes(name) ? 64 : undefined);
    }
  });

  test('has a health check for every part that stays, and waits only for parts that there are', () => {
    for (const [name, { healthcheck, depends_on = {} }] of Object.entries(compose.services)) {
      if (name !== 'migrate') expect(healthcheck, name).toBeDefined();
      expect(PARTS).toEqual(expect.arrayContaining(Object.keys(depends_on)));
    }
  });

  test('builds its one image in one place, so that no two builds race for its name', () => {
    const built = Object.entries(compose.services).filter(([, { build }]) => build !== undefined);
    expect(built.map(([name]) => name)).toEqual(['migrate']);
  });

  test('tells every process how many of each there are, from the same variable that makes them', () => {
    const secrets = { SECRET_KEY: '8d0d0b6f3a5e4c0f9f1d2b7c6a9e8f7d', WORKER_PASSWORD: 'w', REDIS_PASSWORD: 'r' };
    for (const worker of ['api', 'chat', 'mailer']) {
      const variable = `${worker.toUpperCase()}_INSTANCES`;
      expect(compose.services[worker]).toMatchObject({ scale: `\${${variable}:-1}` });
      for (const told of ['api', 'chat', 'mailer', 'migrate']) {
        const { instances } = loadConfig(environmentOf(told, { ...secrets, [variable]: '3' }));
        expect(instances).toEqual({ api: 1, chat: 1, mailer: 1, all: 0, [worker]: 3 });
      }
    }
  });

  test('leaves no shell between docker and redis, which writes what it has when it is told to stop', () => {
    expect(compose.services['redis']?.command?.at(-1)).toMatch(/^exec redis-server - <</);
  });

  test('starts with the mail catcher, and with a real mail server only when its mails lead somewhere', () => {
    const secrets = { SECRET_KEY: '8d0d0b6f3a5e4c0f9f1d2b7c6a9e8f7d', WORKER_PASSWORD: 'w', REDIS_PASSWORD: 'r' };
    const real = { ...secrets, SMTP_URL: 'smtps://smtp.provider.com' };
    const own = { API_URL: 'https://app.acme.com', CHAT_URL: 'https://chat.acme.com', MAIL_FROM: 'hello@acme.com' };
    for (const worker of ['api', 'chat', 'mailer', 'migrate']) {
      const started = (environment: Record<string, string>) => loadConfig(environmentOf(worker, environment));
      expect(started(secrets)).toMatchObject({ smtpUrl: 'smtp://mail.test:1025', apiUrl: 'http://127.0.0.1:3000' });
      expect(started({ ...real, ...own })).toMatchObject({ smtpUrl: real.SMTP_URL, chatUrl: own.CHAT_URL });
      expect(() => started(real)).toThrow(/3 faults.*- API_URL.*- CHAT_URL.*- MAIL_FROM/s);
    }
    expect(compose.services['mail']).toMatchObject({ networks: { default: { aliases: ['mail.test'] } } });
  });

  test('gives the workers every variable that there is, but for those of a container or of development', () => {
    const ITS_OWN = ['API_PORT', 'CHAT_PORT', 'MAILER_PORT', 'MAIL_BOUNCE_PORT', 'DISK_PATH', 'LAST_EXIT'];
    const ONLY_FOR_MIGRATIONS = ['DATABASE_MIGRATE_URL'];
    const ONLY_FOR_DEVELOPMENT = ['WEBHOOK_NETWORKS'];
    const given = Object.keys(compose.services['mailer']?.environment ?? {});
    const all = Object.values(VARIABLES).map(({ name }) => name);
    expect(all.filter((name) => !given.includes(name)).toSorted()).toEqual(
      [...ITS_OWN, ...ONLY_FOR_MIGRATIONS, ...ONLY_FOR_DEVELOPMENT].toSorted(),
    );
  });

  test('holds no secret, and says what to do where one is missing', () => {
    const text = readFileSync('docker-compose.yml', 'utf8');
    for (const name of [
      'SECRET_KEY',
      'DATABASE_PASSWORD',
      'REPLICATION_PASSWORD',
      'POSTGRES_PASSWORD',
      'REDIS_PASSWORD',
    ]) {
      expect(text).toMatch(new RegExp(`\\$\\{${name}:\\?set ${name}, for example to the output of openssl`));
      expect(text).not.toMatch(new RegExp(`\\$\\{${name}:-`));
    }
  });

  test('sets PostgreSQL as the embedded stack does', () => {
    const places = ['listen_addresses', 'port', 'unix_socket_directories'];
    const embedded = serverSettings(0, true).filter(([name]) => !places.includes(name));
    const lines = (compose.configs['postgres-settings']?.content ?? '').trim().split('\n');
    const settings = lines
      .map((line) => line.split(' = ', 2))
      .map(([name, value]) => [name, value?.replaceAll("'", '')]);
    expect(settings.filter(([name]) => name !== 'listen_addresses')).toEqual(
      embedded.map(([name, value]) => [name, String(value)]),
    );
  });
});

describe('limits that are not', () => {
  const read = (service: string) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'compose-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'docker-compose.yml');
    const nano = '{ mem_limit: 512m, memswap_limit: 512m, cpus: 2 }';
    writeFileSync(file, `x-nano: ${nano}\nservices:\n  api: ${service}\n`);
    return () => readComposeLimits(file);
  };

  test.each([
    ['{ cpus: 2 }', 'api in docker-compose.yml has no mem_limit'],
    ['{ mem_limit: 512m, cpus: 2 }', 'api in docker-compose.yml may swap'],
    ['{ mem_limit: 512m, memswap_limit: 1g, cpus: 2 }', 'api in docker-compose.yml may swap'],
    ['{ mem_limit: 512m, memswap_limit: 512m }', 'api in docker-compose.yml has no cpus'],
  ])('%s is refused', (service, message) => {
    expect(read(service)).toThrow(message);
  });
});

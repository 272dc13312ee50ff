import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { serverSettings } from '../../scripts/embedded/postgres-settings.ts';
import { loadConfig, VARIABLES } from '../../src/config.ts';
import { MEMORY_BYTES_MIN, NANO_BYTES } from '../../src/limits.ts';

const MB = 1024 * 1024;
const read = (file: string) => readFileSync(path.join('deploy', 'nano', file), 'utf8');
const unit = read('tardigrade@.service');
const migrate = read('tardigrade-migrate.service');

const setting = (text: string, name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1];
const memoryOf = (text: string) => Number(/^(\d+)M$/.exec(setting(text, 'MemoryMax') ?? '')?.[1]) * MB;
const credentialsOf = (text: string) => [...text.matchAll(/^LoadCredentialEncrypted=(\w+):/gm)].map(([, name]) => name);

test('PostgreSQL is set as in the embedded stack and in compose', () => {
  const places = ['listen_addresses', 'port', 'unix_socket_directories', 'log_destination'];
  const lines = read('postgresql.conf')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const settings = lines.map((line) => line.split(' = ', 2)).map(([name, value]) => [name, value?.replaceAll("'", '')]);
  const embedded = serverSettings(0, true).filter(([name]) => !places.includes(name));
  expect(settings).toEqual(embedded.map(([name, value]) => [name, String(value)]));
});

test('each process may start in what its unit gives it, and PostgreSQL, Valkey and Caddy fit beside the product', () => {
  for (const text of [unit, migrate]) expect(memoryOf(text)).toBeGreaterThanOrEqual(MEMORY_BYTES_MIN);
  // Their limits, not what they need: they are not all at their limit at once, and a migration is over soon.
  const others = ['postgresql', 'valkey', 'caddy'].map((name) => memoryOf(read(`limits-${name}.conf`)));
  expect(others.reduce((sum, bytes) => sum + bytes, memoryOf(unit))).toBeLessThan(NANO_BYTES * 1.15);
});

test('every secret that a start needs comes as a credential, and none of them through the environment', () => {
  const needed = missingFrom({}).toSorted();
  expect(needed).toContain('SECRET_KEY');
  // A process that serves does not know the owner of the tables.
  expect(credentialsOf(unit).toSorted()).toEqual(needed);
  expect(credentialsOf(migrate).toSorted()).toEqual([...needed, 'DATABASE_MIGRATE_URL'].toSorted());
  for (const text of [unit, migrate, read('setup.sh')])
    for (const name of credentialsOf(migrate))
      expect(text).not.toMatch(new RegExp(`^(Environment=.*)?\\b${name}=`, 'm'));
});

/** The secrets that a start names as missing. */
function missingFrom(environment: Record<string, string>): string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    const secrets = Object.values(VARIABLES).filter(({ secret }) => secret);
    return secrets.map(({ name }) => name).filter((name) => (error as Error).message.includes(`${name} is missing`));
  }
}

test('the next start is told how the last one ended, by the same lines as in the drop-in for other units', () => {
  const dropIn = readFileSync('deploy/systemd/last-exit.conf', 'utf8');
  const telling = dropIn.split('\n').filter((line) => /^(?:EnvironmentFile|ExecStopPost)=/.test(line));
  expect(telling).toHaveLength(2);
  expect(unit.split('\n')).toEqual(expect.arrayContaining(telling));
});

test('the unit allows what the processes ask of the kernel, although its group of calls is forbidden', () => {
  const filters = [...unit.matchAll(/^SystemCallFilter=(.*)$/gm)].map(([, calls]) => calls);
  // setPriority of src/process/yield-processor.ts; the last line that names a call or its group wins.
  expect(filters.indexOf('setpriority')).toBeGreaterThan(filters.findIndex((calls) => calls?.includes('@resources')));
});

test('a process may take as long to stop as it does itself', () => {
  expect(Number(setting(unit, 'TimeoutStopSec')) * 1_000).toBeGreaterThan(12_000);
});

test('an owner can be told by mail, because nobody looks at one small machine', () => {
  expect(read('setup.sh')).toMatch(/--\(\S*\balerts\b/);
  expect(read('setup.sh')).toMatch(/setting ALERT_MAIL_TO "\$\{given\[alerts\]:-\}"/);
});

test('whoever runs the machine can be named, so that the operations page is there for somebody', () => {
  expect(read('setup.sh')).toMatch(/--\(\S*\boperators\b/);
  expect(read('setup.sh')).toMatch(/setting OPERATORS "\$\{given\[operators\]:-\}"/);
});

test.each(['setup.sh', 'tardigrade-release'])('%s is a program that bash can read', (file) => {
  execFileSync('bash', ['-n', path.join('deploy', 'nano', file)]);
});

/** One product, described for compose, systemd, Kubernetes, the image and the bench: what is written twice is held equal. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readComposeLimits } from '../../bench/box/compose-limits.ts';
import { INSTANCES as LAYOUTS } from '../../bench/layout/layout.ts';
import { WORKER_STOP_MS } from '../../scripts/embedded/limits.ts';
import { serverSettings } from '../../scripts/embedded/postgres-settings.ts';
import { redisSettings } from '../../scripts/embedded/redis.ts';
import { LAME_DUCK_MS } from '../../scripts/kubernetes/sizes.ts';
import { loadConfig } from '../../src/config.ts';
import { connectionBudget } from '../../src/db/connection-budget.ts';
import {
  CONNECTIONS_RESERVED,
  DESCRIPTORS_RESERVED,
  HTTP_CONNECTIONS_MAX,
  LAME_DUCK_MS_DEFAULT,
  NANO_BYTES,
  SOCKETS_MAX,
  STOP_MS,
} from '../../src/limits.ts';
import { LISTENING_PROCESSES, PROCESSES } from '../../src/processes.ts';

const read = (file: string) => readFileSync(file, 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true });
const unit = read('deploy/nano/tardigrade@.service');
const image = read('Dockerfile');
const postgres = new Map(serverSettings(0, true).map(([name, value]) => [name, value]));

const ENVIRONMENT = {
  DATABASE_URL: 'postgres://db/app',
  REDIS_URL: 'redis://redis',
  SMTP_URL: 'smtp://mail.test',
  SECRET_KEY: '8d0d0b6f3a5e4c0f9f1d2b7c6a9e8f7d',
};

/** Variables of a file with NAME=value in it, wherever the line has them. */
function variablesIn(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/\b([A-Z]+_INSTANCES)=(\d+)/g)].map(([, name, value]) => [name, value]));
}

test.each([
  ['compose', {}],
  ['one VPS', variablesIn(read('deploy/nano/setup.sh'))],
  ...Object.entries(LAYOUTS).map(([kind, instances]) => [`the bench, ${kind}`, instances] as const),
] as const)('the connections of all instances fit the server: %s', (_where, instances) => {
  const config = loadConfig({ ...ENVIRONMENT, ...instances });
  const allowed = Number(postgres.get('max_connections')) - Number(postgres.get('superuser_reserved_connections'));
  for (const server of ['primary', 'replica'] as const) {
    const { needed, arithmetic } = connectionBudget(server, config.instances, allowed);
    expect(needed, arithmetic).toBeLessThanOrEqual(allowed);
  }
});

test('the balancer of compose has a place for as many instances as are let in, in the reserve as well', () => {
  const allowed = Number(postgres.get('max_connections')) - Number(postgres.get('superuser_reserved_connections'));
  const places = (name: string) =>
    Number(new RegExp(`server-template ${name} 1-(\\d+) `).exec(compose.configs.balancer.content)?.[1]);
  for (const name of ['api', 'chat'] as const) {
    const one = { api: 1, chat: 1, mailer: 1, all: 0, [name]: places(name) + 1 };
    expect(connectionBudget('primary', one, allowed).needed - CONNECTIONS_RESERVED, name).toBeGreaterThan(allowed);
  }
});

test('a worker has the memory of a nano in compose, and Redis what its settings let it take', () => {
  const { nano, parts } = readComposeLimits();
  expect(nano.memoryBytes).toBe(NANO_BYTES);
  expect(parts.get('api')?.memoryBytes).toBe(NANO_BYTES);
});

test('Redis is set the same in the embedded stack, in compose and on one VPS', () => {
  const settingsIn = (text: string) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^(?:save|append|auto-aof|maxmemory)/.test(line))
      .toSorted();
  const embedded = settingsIn(redisSettings(0, '', '', true));
  expect(embedded.length).toBeGreaterThan(4);
  expect(settingsIn(compose.services.redis.command.at(-1))).toEqual(embedded);
  expect(settingsIn(read('deploy/nano/valkey.conf'))).toEqual(embedded);
});

test('a platform waits with its kill for longer than a process takes to stop', () => {
  const secondsIn = (text: string) => Number(/^(\d+)s?$/.exec(text)?.[1]) * 1_000;
  const composeLameDuck = Number(compose.services.api.environment.LAME_DUCK_MS);
  expect(secondsIn(compose.services.api.stop_grace_period)).toBeGreaterThan(composeLameDuck + STOP_MS);
  const unitLameDuck = Number(/LAME_DUCK_MS=(\d+)/.exec(unit)?.[1]);
  expect(secondsIn(/TimeoutStopSec=(\S+)/.exec(unit)?.[1] ?? '')).toBeGreaterThan(unitLameDuck + STOP_MS);
  expect(WORKER_STOP_MS).toBeGreaterThan(LAME_DUCK_MS_DEFAULT + STOP_MS);
});

test('the door closes after the balancer has believed it: image, compose and Kubernetes say the same', () => {
  const [, inter, fall] = /default-server inter (\d+)s fall (\d+)/.exec(compose.configs.balancer.content) ?? [];
  expect(LAME_DUCK_MS).toBeGreaterThan(Number(inter) * 1_000 * (Number(fall) + 1));
  expect(Number(compose.services.api.environment.LAME_DUCK_MS)).toBe(LAME_DUCK_MS);
  expect(Number(/ENV LAME_DUCK_MS=(\d+)/.exec(image)?.[1])).toBe(LAME_DUCK_MS);
});

test('each process listens where the image, compose and its health checks look for it', () => {
  const ports = LISTENING_PROCESSES.map((name) => PROCESSES[name].port);
  expect(/^EXPOSE (.*)$/m.exec(image)?.[1]?.split(' ').map(Number)).toEqual(ports.toSorted());
  for (const name of LISTENING_PROCESSES)
    expect(compose.services[name].healthcheck.test.at(-1), name).toBe(String(PROCESSES[name].port));
});

test('a unit may open as many files as a process has places for', () => {
  const files = Number(/LimitNOFILE=(\d+)/.exec(unit)?.[1]);
  // All of them on one VPS would need more memory than it has: a tenth of the sockets is what a unit must have room for.
  expect(files).toBeGreaterThan(HTTP_CONNECTIONS_MAX + SOCKETS_MAX / 10 + DESCRIPTORS_RESERVED);
});

test('what the pages say that a unit may take is what the units say', () => {
  const page = read('docs/one-vps.md');
  const memoryMax = (text: string) => /MemoryMax=(\d+)M/.exec(text)?.[1];
  for (const [name, file] of [
    ['tardigrade@all', 'tardigrade@.service'],
    ['postgresql@18-main', 'limits-postgresql.conf'],
    ['valkey-server', 'limits-valkey.conf'],
    ['caddy', 'limits-caddy.conf'],
  ])
    expect(page, name).toContain(`| \`${name}\` | ${memoryMax(read(`deploy/nano/${file}`))} MB |`);
});

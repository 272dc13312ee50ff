import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readOptions } from '../../../scripts/doctor/options.ts';
import { StartError } from '../../../src/errors.ts';
import { NANO_BYTES } from '../../../src/limits.ts';

const NO_STACK = `--folder=${path.join(tmpdir(), 'tardigrade-no-stack')}`;
const environment = {
  DATABASE_URL: 'postgres://one/db',
  DATABASE_REPLICA_URL: 'postgres://two/db',
  REDIS_URL: 'redis://three',
  API_INSTANCES: '3',
};

test('the addresses come from the environment, and no secret of the product is needed', () => {
  expect(readOptions([], environment)).toEqual({
    addresses: {
      databaseUrl: 'postgres://one/db',
      databaseReplicaUrl: 'postgres://two/db',
      redisUrl: 'redis://three',
    },
    instances: { api: 3, mailer: 1, chat: 1, all: 0 },
    memoryBytes: NANO_BYTES,
    json: false,
  });
});

test('another database is never combined with the replica and queues of the environment', () => {
  const { addresses } = readOptions(['--database-url=postgres://four/db'], environment);
  expect(addresses).toEqual({ databaseUrl: 'postgres://four/db', databaseReplicaUrl: undefined, redisUrl: undefined });
});

test('a replica and a Redis given as arguments take precedence', () => {
  const { addresses } = readOptions(['--replica-url=postgres://five/db', '--redis-url=redis://six'], environment);
  expect(addresses).toEqual({
    databaseUrl: 'postgres://one/db',
    databaseReplicaUrl: 'postgres://five/db',
    redisUrl: 'redis://six',
  });
});

test('the instances given are the whole deployment', () => {
  const { instances } = readOptions(['--instances=api:2, all:1'], environment);
  expect(instances).toEqual({ api: 2, mailer: 0, chat: 0, all: 1 });
});

test.each([
  ['a size', ['--memory=much'], /--memory is a size/],
  ['a size above nothing', ['--memory=0'], /--memory is a size/],
  ['a number of instances', ['--instances=api'], /--instances is a list/],
  ['a sane number of instances', ['--instances=api:5000'], /API_INSTANCES is "5000"/],
  ['the address of a PostgreSQL', ['--database-url=mysql://one/db'], /DATABASE_URL must be an address/],
  ['arguments that it knows', ['--unknown'], /npm run doctor -- /],
])('it wants %s', (_, args, message) => {
  const read = () => readOptions(args, environment);
  expect(read).toThrow(StartError);
  expect(read).toThrow(message);
});

test('without a database it says how to give one', () => {
  expect(() => readOptions([NO_STACK], {})).toThrow(/No database to look at: set DATABASE_URL, run npm start/);
});

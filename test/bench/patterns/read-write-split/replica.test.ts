import { Client } from 'pg';
import { expect, test } from 'vitest';
import { openReplicaLine } from '../../../../bench/patterns/read-write-split/replica.ts';
import { sharedServers } from '../servers.ts';

test('a line to the replica that was cut has ended its connections and accepts no more', async () => {
  const line = await openReplicaLine(sharedServers().workerReplicaUrl);
  const client = new Client({ connectionString: line.url });
  const ended = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  expect((await client.query('select pg_is_in_recovery() as there')).rows).toEqual([{ there: true }]);
  await line.cut();
  await ended;
  await expect(new Client({ connectionString: line.url }).connect()).rejects.toThrow(/ECONNREFUSED/);
});

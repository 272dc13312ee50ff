import { expect, test } from 'vitest';
import { startInstances } from '../../../bench/patterns/connection-budget/hardened.ts';
import { loadPair } from '../../../bench/patterns/pairs.ts';
import { withScratchDatabase } from '../../../bench/patterns/scratch-database.ts';
import { StartError } from '../../../src/errors.ts';
import { sharedServers } from './servers.ts';

test('a deployment whose small pools still pass max_connections is not started', async () => {
  const { databaseUrl } = sharedServers();
  await expect(startInstances(databaseUrl, 40)).rejects.toThrow(StartError);
  await expect(startInstances(databaseUrl, 40)).rejects.toThrow(/api 40 x \d+/);
});

test('a query that lacks its organisation shows the naive twin the rows of another, and the hardened one only its own', async () => {
  const { slug, pattern, naive, hardened } = await loadPair('tenant-isolation');
  const input = { organisations: 2, questions: 20, costRounds: 0 };
  await withScratchDatabase(sharedServers(), slug, async (servers) => {
    await pattern.arrange?.(servers, input);
    expect((await pattern.perform(naive, input, servers)).figures).toEqual({ ownRows: 20, foreignRows: 20 });
    expect((await pattern.perform(hardened, input, servers)).figures).toEqual({ ownRows: 20, foreignRows: 0 });
  });
});

test('a queue that is lost halfway makes the naive twin serve recipients twice, and the hardened one nobody', async () => {
  const { slug, pattern, ...twins } = await loadPair('fan-out');
  const input = { recipients: 3_000, losesQueue: true };
  const perform = (name: 'naive' | 'hardened') =>
    withScratchDatabase(sharedServers(), slug, async (servers) => {
      await pattern.arrange?.(servers, input);
      return pattern.perform(twins[name], input, servers);
    });
  expect((await perform('naive')).figures.twice).toBeGreaterThan(1_000);
  expect((await perform('hardened')).figures).toMatchObject({ served: 3_000, twice: 0, missed: 0 });
});

import { expect, test } from 'vitest';
import { createTokenLookup } from '../../src/http/token-lookup.ts';

test('what was read before it was forgotten is neither kept nor given to who asks afterwards', async () => {
  const reads: PromiseWithResolvers<{ orgId: number } | undefined>[] = [];
  const lookup = createTokenLookup(() => {
    const read = Promise.withResolvers<{ orgId: number } | undefined>();
    reads.push(read);
    return read.promise;
  });
  const before = lookup.find('token');
  lookup.forget(() => true); // its session was ended while the database still answered
  const after = lookup.find('token');
  reads[0]?.resolve({ orgId: 1 });
  expect(await before).toEqual({ orgId: 1 });
  const later = lookup.find('token');
  reads[1]?.resolve(undefined);
  reads[2]?.resolve(undefined);
  expect(await after).toBeUndefined();
  expect(await later).toBeUndefined();
});

import { expect, test } from 'vitest';
import { NEVER_REPLAYED, type WalPosition } from '../../src/db/failover-position.ts';
import { createCaller, type Database } from '../../src/db/read-write-split.ts';
import type { SignedIn } from '../../src/http/app.ts';
import { createLastWrites } from '../../src/http/read-own-writes.ts';

const ADA = { orgId: 1, userId: 1 } as SignedIn;

/** Requests of one person; `write` is given the position that the primary has after it. */
function requests() {
  const lastWrites = createLastWrites();
  return () => {
    let after: WalPosition;
    const database: Pick<Database, 'read' | 'write'> = {
      read: () => Promise.reject(new Error('nothing is read here')),
      write: async (_scope, work) => ({ value: await work(undefined as never), position: after }),
    };
    const caller = createCaller(database);
    const db = lastWrites.enter(ADA, caller);
    return {
      seesAtLeast: caller.position(),
      async write(position: WalPosition) {
        after = position;
        await db.write(async () => undefined);
      },
      repeat: (position: WalPosition) => caller.wrote(position),
      leave: () => lastWrites.leave(ADA, caller),
    };
  };
}

test('of two writes at once the later one counts, whichever request ends last', async () => {
  const enter = requests();
  const [slow, quick] = [enter(), enter()];
  await slow.write('1:0/10');
  await quick.write('1:0/20');
  quick.leave();
  slow.leave();
  expect(enter().seesAtLeast).toBe('1:0/20');
});

test('a request that is repeated does not take back a write that came after it', async () => {
  const enter = requests();
  const [first, second] = [enter(), enter()];
  await first.write('1:0/10');
  first.leave();
  await second.write('1:0/20');
  second.leave();
  const again = enter();
  again.repeat('1:0/10');
  again.leave();
  expect(enter().seesAtLeast).toBe('1:0/20');
});

test('a position that this primary never comes to lasts until the next write', async () => {
  const enter = requests();
  for (const unreachable of [NEVER_REPLAYED, '9:FF/FF']) {
    const before = enter();
    await before.write(unreachable);
    before.leave();
    const next = enter();
    expect(next.seesAtLeast).toBe(unreachable);
    await next.write('1:0/30');
    next.leave();
    expect(enter().seesAtLeast).toBe('1:0/30');
  }
});

import { expect, test } from 'vitest';
import { guardCaller, guardSession } from '../../src/db/idempotency-key.ts';
import { createCaller } from '../../src/db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { writeWhileSignedIn } from '../../src/http/current-access.ts';

const database = { read: () => Promise.reject(), write: () => Promise.reject() };
const caller = () => createCaller(database);
const session = () => caller().within(EVERY_ORGANISATION);
const request = { orgId: undefined, caller: '', key: 'a', secretKey: 'b', method: 'POST', url: '/', body: Buffer.of() };
const guarded = () => guardCaller(caller(), request as never).caller;
const user = { orgId: 1, userId: 1, role: 'viewer', name: '', email: '' } as never;

test.each([
  ['the caller', caller()],
  ['its session', session()],
  ['the session of somebody who must still be signed in', writeWhileSignedIn(session(), user, undefined, () => {})],
  ['the caller with an Idempotency-Key', guarded()],
  ['its session', guarded().within(EVERY_ORGANISATION)],
  ['the session with an Idempotency-Key', guardSession(session(), request as never).session],
])('%s has no getter, with which V8 would keep the request until the next full collection', (_what, object) => {
  const properties = Object.entries(Object.getOwnPropertyDescriptors(object));
  expect(properties.filter(([, { get }]) => get !== undefined)).toEqual([]);
});

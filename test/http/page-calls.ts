/**
 * Calls as the pages make them, never run: `npm run check` reads them with the types of web/assets/api.js. What the
 * OpenAPI document does not have must be an error, or the comment above it is one.
 */
import { actOn, change, get, post, remove, removeSeen, replace } from '../../web/assets/api.js';

const id: unknown = 1;

export async function rightCalls(): Promise<void> {
  const { items, nextCursor } = await get('/api/v1/users', { limit: 50, cursor: null });
  const names: (string | null)[] = [...items.map((one) => one.name), nextCursor];
  const { key } = await post('/api/v1/api-keys', { name: names.join(), scope: 'read' });
  await replace('/api/v1/password', { current: key, password: key });
  await change(`/api/v1/users/${id}`, { role: 'viewer' }, 'admin');
  await actOn(`/api/v1/webhooks/${id}/test`, 1);
  await remove(`/api/v1/api-keys/${id}`);
  await removeSeen(`/api/v1/users/${id}`, 'admin');
}

export async function wrongCalls(): Promise<void> {
  // @ts-expect-error no such address
  await get('/api/v1/user');
  // @ts-expect-error a part too many
  await get(`/api/v1/users/${id}/more`);
  // @ts-expect-error a name where there is only a number
  await remove('/api/v1/api-keys/all');
  // @ts-expect-error an address of which nothing is known
  await get(String(id));
  // @ts-expect-error the address has no such method
  await post('/api/v1/me', {});
  // @ts-expect-error no such field of the query
  await get('/api/v1/users', { page: 2 });
  // @ts-expect-error another type of the query's field
  await get('/api/v1/users', { limit: 'all' });
  // @ts-expect-error no query at all
  await get('/api/v1/me', { limit: 1 });
  // @ts-expect-error no such field of the body
  await post('/api/v1/api-keys', { name: 'one', scope: 'read', days: 90 });
  // @ts-expect-error a value that the field cannot have
  await post('/api/v1/api-keys', { name: 'one', scope: 'all' });
  // @ts-expect-error a body is missing
  await post('/api/v1/api-keys');
  // @ts-expect-error a body where none is read
  await actOn(`/api/v1/webhooks/${id}/test`, 1, { type: 'all' });
  // @ts-expect-error a field of the answer that the document does not have
  (await get('/api/v1/me')).role;
  // @ts-expect-error and of an item of it
  (await get('/api/v1/users')).items[0].surname;
}

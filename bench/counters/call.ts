import type { Account } from '../load/plan.ts';

/** One request of somebody who is signed in; throws with the server's own words when it says no. */
export async function call<T>(
  apiUrl: string,
  account: Account,
  method: string,
  path: string,
  body?: object,
): Promise<{ json: T; bytes: number }> {
  const answer = await fetch(new URL(path, apiUrl), {
    method,
    headers: {
      authorization: `Bearer ${account.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
  return { json: JSON.parse(text) as T, bytes: Buffer.byteLength(text) };
}

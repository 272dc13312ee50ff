import createClient from 'openapi-fetch';
import type { Paths } from '../src/http/paths.ts';

/** The API with its own types, for requests outside any load. Throws with the server's own words when it says no. */
export function openApi(url: string, token?: string) {
  const client = createClient<Paths>({
    baseUrl: url,
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  });
  client.use({
    async onResponse({ request, response, schemaPath }) {
      if (response.ok) return;
      throw new Error(`${request.method} ${schemaPath} was answered with ${response.status}: ${await response.text()}`);
    },
  });
  return client;
}

/** The answer to a request that did not throw. */
export async function answerTo<T>(asked: Promise<{ data?: T }>): Promise<T> {
  return (await asked).data as T;
}

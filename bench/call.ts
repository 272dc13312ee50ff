/** One request of the bench itself, outside any load: to arrange something, or to ask how far it is. */

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: object;
  /** Of the account that asks; without one nobody is signed in. */
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body as it is, with its content type in `headers`. */
  readonly text?: string;
}

export interface Called<T> {
  readonly json: T;
  readonly bytes: number;
  readonly headers: Headers;
}

/** @throws with the server's own words when it says no */
export async function call<T>(apiUrl: string, path: string, options: CallOptions = {}): Promise<Called<T>> {
  const { method = 'GET', body, text, token, headers = {} } = options;
  const answer = await fetch(new URL(path, apiUrl), {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? (text ?? null) : JSON.stringify(body),
  });
  const received = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${received}`);
  return {
    json: (received === '' ? undefined : JSON.parse(received)) as T,
    bytes: Buffer.byteLength(received),
    headers: answer.headers,
  };
}

/** Calls the api as a program does: with a token, and with the position of its last write. */
export interface ApiClient {
  readonly url: string;
  readonly orgId: number;
  readonly token: string;
  get<T = unknown>(path: string, headers?: Record<string, string>): Promise<Answer<T>>;
  send<T = unknown>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<T>>;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export function createClient(url: string, token: string, orgId: number): ApiClient {
  let readAfter: string | null = null;
  async function request<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const answer = await call<T>(url, method, path, {
      body,
      headers: {
        authorization: `Bearer ${token}`,
        ...(readAfter === null ? {} : { 'read-after': readAfter }),
        ...headers,
      },
    });
    readAfter = answer.headers.get('read-after') ?? readAfter;
    return answer;
  }
  return {
    url,
    orgId,
    token,
    get: (path, headers) => request('GET', path, undefined, headers),
    send: (method, path, body, headers) => request(method, path, body, headers),
  };
}

/** One request; `body` goes out as JSON unless it is text or bytes. */
export async function call<T>(
  url: string,
  method: string,
  path: string,
  given: { body?: unknown; headers: Record<string, string> },
): Promise<Answer<T>> {
  const raw = typeof given.body === 'string' || given.body instanceof Uint8Array;
  const response = await fetch(new URL(path, url), {
    method,
    headers: { ...(given.body === undefined || raw ? {} : { 'content-type': 'application/json' }), ...given.headers },
    ...(given.body === undefined ? {} : { body: raw ? (given.body as string) : JSON.stringify(given.body) }),
  });
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: (json && text !== '' ? JSON.parse(text) : text) as T,
  };
}

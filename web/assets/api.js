// Every call to the server. Errors arrive as problem details (RFC 9457) and leave as `Problem`.
// Reads are repeated when the server is busy, after the wait that it asked for plus jitter, so that many open
// pages do not come back in the same instant. Writes are never repeated here: the person decides.

const TRIES_MAX = 3;
const RETRY_DEFAULT_MS = 1_000;
const RETRY_MAX_MS = 15_000;

/** What the server refused, in words for the person. `status` 0: the server did not answer. */
export class Problem extends Error {
  constructor({ status = 0, code = 'unreachable', title, detail, errors = [] }, retryAfterMs = null) {
    super(detail || title || 'Something went wrong.');
    Object.assign(this, { name: 'Problem', status, code, errors, retryAfterMs });
  }
}

/** GET -> parsed JSON. `query` values that are null or '' are left out. */
export async function get(path, query, signal) {
  for (let tries = 1; ; tries++) {
    try {
      return await call('GET', path + queryString(query), { signal });
    } catch (error) {
      const busy = error instanceof Problem && (error.status === 429 || error.status === 503);
      if (!busy || tries === TRIES_MAX) throw error;
      await pause(Math.min(error.retryAfterMs ?? RETRY_DEFAULT_MS, RETRY_MAX_MS) * (1 + Math.random()), signal);
    }
  }
}

export const post = (path, body, signal) => call('POST', path, json(body, signal));
export const replace = (path, body, signal) => call('PUT', path, json(body, signal));
/** A change to the version that the person has seen; refused when somebody else has changed it meanwhile. */
export const change = (path, body, version, signal) =>
  call('PATCH', path, json(body, signal, { 'if-match': `"${version}"` }));
/** Does something with the version that the person has seen; refused in the same way. */
export const actOn = (path, version, body, signal) =>
  call('POST', path, json(body, signal, { 'if-match': `"${version}"` }));

export const remove = (path, signal) => call('DELETE', path, { signal });
export const removeSeen = (path, version, signal) =>
  call('DELETE', path, { headers: { 'if-match': `"${version}"` }, signal });

/** PUT of a File: the browser streams it from the disk, so its size does not matter here. */
export const putFile = (path, file, signal) =>
  call('PUT', path, { body: file, headers: { 'content-type': 'text/csv' }, signal });

/** POST of a file, or of a part of one. */
export const postFile = (path, file, signal) =>
  call('POST', path, { body: file, headers: { 'content-type': 'text/csv' }, signal });

export function queryString(query) {
  const set = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return set.length === 0 ? '' : `?${new URLSearchParams(set)}`;
}

/** Resolves after `ms`; rejects with AbortError as soon as the view that waits is left. */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

function json(body, signal, headers) {
  if (body === undefined) return { headers, signal };
  return { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers }, signal };
}

async function call(method, path, options) {
  const reply = await fetch(path, { method, credentials: 'same-origin', ...options }).catch((error) => {
    if (error.name === 'AbortError') throw error;
    throw new Problem({ title: 'The server cannot be reached. Check your connection and try again.' });
  });
  const text = await reply.text();
  if (reply.ok) return text === '' ? null : JSON.parse(text);
  const problem = new Problem({ ...problemIn(text), status: reply.status }, retryAfterMs(reply));
  const signingIn = method === 'POST' && path.startsWith('/api/v1/sessions');
  if (reply.status === 401 && !signingIn) window.dispatchEvent(new Event('signed-out'));
  throw problem;
}

function problemIn(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { code: 'unreadable', title: 'The server sent a response that this page does not understand.' };
  }
}

// Retry-After is a number of seconds or a date.
function retryAfterMs(reply) {
  const value = reply.headers.get('retry-after');
  if (value === null) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(ms, 0) : null;
}

// Every call to the server. Errors arrive as problem details (RFC 9457) and leave as `Problem`.
// Reads are repeated when the server is busy, after the wait that it asked for plus jitter, so that many open
// pages do not come back in the same instant. Writes are never repeated here: the person decides.
// Each call is held to the OpenAPI document: see api-types.d.ts.

const TRIES_MAX = 3;
const RETRY_DEFAULT_MS = 1_000;
const RETRY_MAX_MS = 15_000;

/** What the server refused, in words for the person. `status` 0: the server did not answer. */
export class Problem extends Error {
  /**
   * @param {Partial<import('../../src/http/paths.ts').Problem>} body
   * @param {number | null} retryAfterMs
   */
  constructor({ status = 0, code = 'unreachable', title, detail, errors = [] }, retryAfterMs = null) {
    super(detail || title || 'Something went wrong.');
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * GET -> parsed JSON. `query` values that are null or '' are left out.
 * @type {import('./api-types.d.ts').Get}
 */
export const get = (path, query, signal) => read(path + queryString(query), signal);
/**
 * GET of what the OpenAPI document does not have.
 * @type {(path: string) => Promise<any>}
 */
export const getUndocumented = (path) => read(path);

async function read(address, signal = undefined) {
  for (let tries = 1; ; tries++) {
    try {
      return await call('GET', address, { signal });
    } catch (error) {
      const busy = error instanceof Problem && (error.status === 429 || error.status === 503);
      if (!busy || tries === TRIES_MAX) throw error;
      await pause(Math.min(error.retryAfterMs ?? RETRY_DEFAULT_MS, RETRY_MAX_MS) * (1 + Math.random()), signal);
    }
  }
}

/** @type {import('./api-types.d.ts').Post} */
export const post = (path, ...[body, signal]) => call('POST', path, json(body, signal));
/** @type {import('./api-types.d.ts').Replace} */
export const replace = (path, ...[body, signal]) => call('PUT', path, json(body, signal));
/**
 * A change to the version that the person has seen; refused when somebody else has changed it meanwhile.
 * @type {import('./api-types.d.ts').Change}
 */
export const change = (path, body, version, signal) =>
  call('PATCH', path, json(body, signal, { 'if-match': `"${version}"` }));
/**
 * Does something with the version that the person has seen; refused in the same way.
 * @type {import('./api-types.d.ts').ActOn}
 */
export const actOn = (path, version, ...[body, signal]) =>
  call('POST', path, json(body, signal, { 'if-match': `"${version}"` }));

/** @type {import('./api-types.d.ts').Remove} */
export const remove = (path, signal) => call('DELETE', path, { signal });
/** @type {import('./api-types.d.ts').RemoveSeen} */
export const removeSeen = (path, version, signal) =>
  call('DELETE', path, { headers: { 'if-match': `"${version}"` }, signal });

/**
 * PUT of a File: the browser streams it from the disk, so its size does not matter here.
 * @type {import('./api-types.d.ts').PutFile}
 */
export const putFile = (path, query, file, signal) =>
  call('PUT', path + queryString(query), { body: file, headers: { 'content-type': 'text/csv' }, signal });

/**
 * POST of a file, or of a part of one.
 * @type {import('./api-types.d.ts').PostFile}
 */
export const postFile = (path, query, file, signal) =>
  call('POST', path + queryString(query), { body: file, headers: { 'content-type': 'text/csv' }, signal });

export function queryString(query) {
  const set = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return set.length === 0 ? '' : `?${new URLSearchParams(set)}`;
}

/**
 * Resolves after `ms`; rejects with AbortError as soon as the view that waits is left.
 * @returns {Promise<void>}
 */
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

function json(body, signal, headers = {}) {
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

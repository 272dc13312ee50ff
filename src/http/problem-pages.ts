/**
 * What each kind of problem means and what to do about it: the page that its `type` leads to, and its description in
 * the API's document. `type` is an address from the root, so it is the same text in every deployment and leads to the
 * page of the server that sent it.
 */
import { STATUS_CODES } from 'node:http';
import { ERROR_STATUS, type ErrorCode } from '../errors.ts';

export interface ProblemWords {
  readonly means: string;
  readonly remedy: string;
}

export const PROBLEM_WORDS: Readonly<Record<ErrorCode, ProblemWords>> = {
  invalid: {
    means: 'Something in the request does not have the form that this operation expects.',
    remedy: 'Read `errors`: each entry names a field and what is wrong with it. Sending the same again fails again.',
  },
  unauthenticated: {
    means: 'Nobody is signed in, the session has ended, or the credentials are wrong.',
    remedy: 'Sign in with POST /api/v1/sessions and send the token as `Authorization: Bearer …`.',
  },
  forbidden: {
    means: 'The signed-in user may not do this, or the request came from a page of another site.',
    remedy: 'Read `detail`: it says what is needed. Ask an owner of your organisation for a role.',
  },
  not_found: {
    means: 'There is nothing at this address, or it belongs to another organisation.',
    remedy: 'Check the path and the id. What was deleted stays deleted.',
  },
  too_slow: {
    means: 'The request did not arrive in time.',
    remedy: 'Send it again, over a better connection or in smaller pieces.',
  },
  conflict: {
    means: 'What exists already, or the state that it is in, does not allow this.',
    remedy: 'Read it again, and decide: sending the same again fails until the state has changed.',
  },
  in_progress: {
    means: 'A request with the same Idempotency-Key is still being worked on.',
    remedy: 'Wait for the time in `Retry-After`, then send the same request again: you get the answer of the first.',
  },
  gone: {
    means: 'This existed once and will not come back.',
    remedy: 'Remove the address from your notes. Where there is a new one, `detail` says how to get it.',
  },
  changed_meanwhile: {
    means:
      'Somebody has changed this since you read it, it has no ETag that your If-Match could name, or it is what your If-None-Match excludes.',
    remedy:
      'Read it again, apply your change to what it is now, and send If-Match with the new ETag. What is read without an ETag is changed without If-Match.',
  },
  too_large: {
    means: 'The body is larger than this operation accepts.',
    remedy: 'Send less at a time.',
  },
  unsupported: {
    means: 'The body has a type or an encoding that this operation does not read.',
    remedy: 'Send JSON in UTF-8 with `Content-Type: application/json`, unless the operation says otherwise.',
  },
  key_reused: {
    means: 'This Idempotency-Key has been used for another request.',
    remedy: 'Make a new key for each request, and use it again only to repeat that very request.',
  },
  precondition_required: {
    means: 'This is changed by several people, so a change must say which version it was made from.',
    remedy: 'Read it first, and send its ETag back as If-Match.',
  },
  rate_limited: {
    means: 'Too many requests in too short a time.',
    remedy: 'Wait for the time in `Retry-After`. The `RateLimit` header says how much is left.',
  },
  headers_too_large: {
    means: 'The headers of the request are too many or too long.',
    remedy: 'Send fewer. In a browser, delete the cookies of this site.',
  },
  internal: {
    means: 'A fault on our side. It has been noted.',
    remedy: 'Try again later, a POST with the same Idempotency-Key. Tell us the time and the path if it stays.',
  },
  overloaded: {
    means: 'There is more to do than can be done in time, or a server behind this one is away for a moment.',
    remedy: 'Send it again after the time in `Retry-After`, a POST with the same Idempotency-Key.',
  },
};

/** By their paths in web/, where nothing else has this folder. */
export function problemPages(): Map<string, string> {
  const codes = Object.keys(PROBLEM_WORDS) as ErrorCode[];
  return new Map(codes.map((code) => [problemPage(code), pageOf(code)]));
}

export function problemPage(code: string): string {
  return `/problems/${code}.html`;
}

function pageOf(code: ErrorCode): string {
  const { means, remedy } = PROBLEM_WORDS[code];
  const status = ERROR_STATUS[code];
  const title = `${code} · ${status} ${STATUS_CODES[status]}`;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${title}</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <link rel="icon" href="/assets/tardigrade.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/assets/style.css">
  </head>
  <body>
    <main class="card page">
      <h1>${status} ${STATUS_CODES[status]}</h1>
      <p class="soft"><code>${code}</code></p>
      <p>${marked(means)}</p>
      <h2>What to do</h2>
      <p>${marked(remedy)}</p>
      <p><a class="button primary" href="/docs">API reference</a></p>
    </main>
  </body>
</html>
`;
}

/** Code is in backticks; nothing else in these texts means anything to HTML. */
function marked(text: string): string {
  return text.replace(/`([^`]+)`/g, '<code>$1</code>');
}

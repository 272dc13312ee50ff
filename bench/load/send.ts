import type { Dispatcher } from 'undici';
import type { CheckedAnswer } from './checks.ts';
import { ANSWER_BYTES_MAX } from './limits.ts';
import type { PlannedRequest } from './step.ts';

export interface Received extends CheckedAnswer {
  /** Why no answer came, or not all of it. */
  readonly error?: string;
}

export interface Flight {
  /** performance.now() after which nobody waits for it any more. */
  giveUpAt: number;
  giveUp(): void;
}

/** One request; `done` is called exactly once. undici's dispatch, because promises and streams per request cost more. */
export function send(pool: Dispatcher, request: PlannedRequest, done: (received: Received) => void): Flight {
  const chunks: Buffer[] = [];
  let size = 0;
  let status = 0;
  let headers: Received['headers'] = {};
  let controller: Dispatcher.DispatchController | undefined;
  let ended = false;

  function end(error?: string) {
    if (ended) return;
    ended = true;
    const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    const answer = { status, headers, bytes, json: undefined };
    if (error !== undefined) return done({ ...answer, error });
    done({ ...answer, json: /json/.test(String(headers['content-type'])) ? parse(bytes) : undefined });
  }

  pool.dispatch(
    { path: request.path, method: request.method, headers: request.headers ?? null, body: request.body ?? null },
    {
      onRequestStart(given) {
        controller = given;
        if (ended) given.abort(new Error('given up before it was sent'));
      },
      onResponseStart(_controller, statusCode, given) {
        status = statusCode;
        headers = given;
      },
      onResponseData(given, chunk) {
        size += chunk.length;
        if (size > ANSWER_BYTES_MAX) given.abort(Object.assign(new Error(), { code: 'ANSWER_TOO_LARGE' }));
        else chunks.push(chunk);
      },
      onResponseEnd: () => end(),
      onResponseError: (_controller, error) => end((error as NodeJS.ErrnoException).code ?? error.name),
    },
  );
  return {
    giveUpAt: 0,
    giveUp() {
      end('TIMEOUT');
      controller?.abort(new Error('nobody waits any more'));
    },
  };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

/**
 * What it is: a request's body has a time of its own in which to arrive, and until it has arrived the request holds
 *   nothing that others need.
 * What fails without it: two hundred POSTs whose bodies drip byte by byte take every place that the server has,
 *   and nobody has to sign in for that.
 * How it works: paths and callers that are not known get their answer before a byte of the body is read. A body that is
 *   not here by then has BODY_MS; one that is streamed (an upload) sends UPLOAD_WINDOW_BYTES_MIN in every
 *   UPLOAD_WINDOW_MS instead. Too slow: 408, and the connection is closed. When too many arrive at once, one of those
 *   who send most is ended, the one that has taken longest: those who send theirs at once are never refused. One that
 *   keeps coming in pieces of a few bytes is left unread until its time is over: each piece costs about what a whole body
 *   does, and fifty clients can send fifty thousand of them a second.
 * What it costs: nothing when the body comes with the headers, otherwise a timer and a pass through a stream.
 * Its bound: BODY_MS, BODIES_ARRIVING_MAX, PUBLIC_BODY_BYTES_MAX, UPLOAD_WINDOW_MS, BODY_PIECES_AT_EASE, BODY_PIECE_BYTES_MIN.
 * Its proof: test/http/slow-client.test.ts, bench/patterns/slow-client.
 */
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { AppError, overloaded } from '../errors.ts';
import { createFairPlaces, type FairPlaces } from '../flow/fair-places.ts';
import {
  BODIES_ARRIVING_MAX,
  BODY_MS,
  BODY_PIECE_BYTES_MIN,
  BODY_PIECES_AT_EASE,
  PUBLIC_BODY_BYTES_MAX,
  UPLOAD_WINDOW_BYTES_MIN,
  UPLOAD_WINDOW_MS,
} from '../limits.ts';
import { hasBody, isContinueWanted, leaveUnread } from '../process/http-server.ts';
import type { Metrics } from '../process/metrics.ts';
import { pauseConnection } from '../process/pause-connection.ts';
import type { App } from './app.ts';

/** Who sends a request. */
export interface Senders {
  /** Somebody who is signed in. */
  isRecognised(request: IncomingMessage): boolean;
  /** The organisation, or else the network: what is shared between senders is shared between these. */
  senderOf(request: IncomingMessage): string;
}

/** Register it after the hooks that know the caller, and before those that need the whole body. */
export function limitSlowBodies(app: App, metrics: Metrics, senders: Senders): void {
  const arriving = {
    strangers: createFairPlaces({ places: BODIES_ARRIVING_MAX.strangers, pushes: true }),
    known: createFairPlaces({ places: BODIES_ARRIVING_MAX.known, pushes: true }),
  };
  const count = () => arriving.strangers.taken + arriving.known.taken;
  metrics.gauge('bodies_arriving', 'Requests whose body has not arrived yet', count);

  app.addHook('onRoute', (route) => {
    const isOpen = route.config?.public === true || !route.url.startsWith('/api/v1/');
    if (isOpen) route.bodyLimit ??= PUBLIC_BODY_BYTES_MAX;
  });
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { raw } = request;
    // It went while somebody asked who it is: what would say so has been emitted, and nobody heard it.
    if (raw.destroyed && hasBody(raw)) return done(clientGone());
    if (raw.complete || !isBodyRead(raw)) return done(null, payload);
    if (isContinueWanted(raw)) reply.raw.writeContinue();
    const kind = senders.isRecognised(raw) ? 'known' : 'strangers';
    done(null, receive(raw, arriving[kind], senders.senderOf(raw)));
  });
  app.addHook('preValidation', (request, _reply, done) => {
    if (isStream(request.body)) (request.raw as WithBody).arrivingBody?.pace();
    done();
  });
}

/** Whether it has a body that somebody will read. */
export function isBodyRead(raw: IncomingMessage): boolean {
  return hasBody(raw) && !READS_NO_BODY.includes(raw.method ?? '');
}

/** Whether the handler reads the body itself, while it arrives. */
export function isStream(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'pipe' in body;
}

/** Of a request whose body is still on its way: its handler gets the error. Nothing happens to one that is all here. */
export function endBody(request: IncomingMessage, error: Error): void {
  (request as WithBody).arrivingBody?.end(error);
}

/** Whether its body came, or was coming, in pieces of a few bytes: each costs about what a whole body does. */
export function cameInCrumbs(request: IncomingMessage): boolean {
  return (request as WithBody).inCrumbs === true;
}

interface ArrivingBody {
  /** From now on it may take long, but has to make progress. */
  pace(): void;
  end(error: Error): void;
}

const READS_NO_BODY: readonly string[] = ['GET', 'HEAD', 'TRACE'];
interface WithBody extends IncomingMessage {
  arrivingBody?: ArrivingBody;
  /** More than BODY_PIECES_AT_EASE pieces of a few bytes have come. */
  inCrumbs?: true;
}

function receive(raw: WithBody, arriving: FairPlaces, sender: string): PassThrough {
  const stream = new PassThrough();
  stream.on('error', () => undefined); // a body can fail before anybody reads it
  leaveCrumbsUnread(raw);
  let timer = setTimeout(() => body.end(raw.inCrumbs ? tooManyPieces() : tooSlow()), BODY_MS);
  const body: ArrivingBody = {
    pace() {
      clearTimeout(timer);
      leave?.(); // the place of an upload is counted by load-shedding
      let received = 0; // bytes that came with the headers count, so the first window is a mild one
      timer = setInterval(() => {
        const slow = raw.socket.bytesRead - received < UPLOAD_WINDOW_BYTES_MIN;
        received = raw.socket.bytesRead;
        // While the reader has enough to do, the client is not the one who is slow.
        if (slow && !stream.writableNeedDrain) body.end(tooSlow());
      }, UPLOAD_WINDOW_MS);
    },
    end(error) {
      forget();
      raw.unpipe(stream);
      stream.destroy(error);
    },
  };
  function forget(): void {
    clearTimeout(timer);
    leave?.();
    delete raw.arrivingBody;
  }
  raw.arrivingBody = body;
  const leave = arriving.enter(sender, () => body.end(overloaded('slow requests')));
  raw.once('end', forget);
  raw.once('close', forget);
  raw.once('error', () => body.end(clientGone()));
  return raw.pipe(stream);
}

/**
 * Of a body that comes in too many pieces of a few bytes, nothing more is read, and its time runs out. One that is complete
 * by then is served: it came at once.
 */
function leaveCrumbsUnread(raw: WithBody): void {
  let [pieces, bytes] = [0, 0];
  raw.on('data', function count({ length }: Buffer) {
    pieces++;
    bytes += length;
    if (pieces <= BODY_PIECES_AT_EASE || bytes >= pieces * BODY_PIECE_BYTES_MIN) return;
    raw.off('data', count);
    raw.inCrumbs = true;
    pauseConnection(raw);
    // What came in the same read is parsed all the same, and may be all of it.
    setImmediate(() => (raw.complete ? raw.socket.resume() : leaveUnread(raw)));
  });
}

/** Node's own error has the code of a connection that was reset, which could be one to the database. */
function clientGone(): Error {
  return Object.assign(new Error('The client has gone'), { statusCode: 400 });
}

function tooManyPieces(): Error {
  return new AppError('too_slow', 'The body came in too many pieces of a few bytes each. Send larger pieces.');
}

function tooSlow(): Error {
  return Object.assign(new Error('The body took too long to arrive'), { statusCode: 408 });
}

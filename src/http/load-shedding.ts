/**
 * What it is: beyond a maximum of requests in flight, further ones wait for a moment, and are then refused, with 503 and
 *   Retry-After.
 * What fails without it: all requests get slower together, until every one of them is answered too late to be of use.
 *   And when strangers may take every place, whoever wants to take the service away does.
 * How it works: a request takes a place when all of it has arrived: at once without a body, otherwise when the body is
 *   here (src/http/slow-client.ts). It gives the place back when its answer has been given, or its client has gone, and
 *   the work for it has ended: a client that goes away does not make room for the next one's work, and one that does not
 *   read its answer keeps nobody else from theirs (src/process/http-server.ts bounds what is unread). A place that becomes
 *   free goes to a sign-in first, then to what people look at, then to an export, and within these to each organisation or
 *   network in turn; one that has waited for longer than its answer is worth gets none. There are few places and a long
 *   line: a request in line is an object, one in flight is all that it has begun, and V8 copies what is alive each time
 *   that it collects garbage. Strangers, whose requests may be sign-ins that wait for a hash, have places of their own;
 *   when half of these are used, each network gets a few. So have files that are received, of which an organisation has a
 *   share (src/flow/fair-places.ts). There are fewer places in a small container, and while the event loop is late.
 *   Refusals take capacity from the requests that are served, so a refusal is a few precomputed bytes. Health probes take
 *   no place.
 * What it costs: an object, two listeners and the hash of a token per request.
 * Its bound: REQUESTS_IN_FLIGHT_MAX, LOOP_DELAY_MS, WAITING_FOR_PLACES_MAX, STRANGERS_IN_FLIGHT_MAX, UPLOADS_AT_ONCE_MAX,
 *   UPLOADS_OF_ORGANISATION_MAX, WORK_AFTER_CLOSE_MS.
 * Its proof: test/http/load-shedding.test.ts, test/http/places.test.ts, bench/patterns/load-shedding.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { overloaded } from '../errors.ts';
import { createFairPlaces } from '../flow/fair-places.ts';
import { createPriorityQueue } from '../flow/priority-queue.ts';
import {
  REQUESTS_IN_FLIGHT_MAX,
  STRANGERS_AT_EASE_MAX,
  STRANGERS_IN_FLIGHT_MAX,
  STRANGERS_PER_NETWORK_MAX,
  UPLOADS_AT_ONCE_MAX,
  UPLOADS_OF_ORGANISATION_MAX,
  WAITING_FOR_PLACES_MAX,
  WAITING_FOR_PLACES_MS,
  WORK_AFTER_CLOSE_MS,
} from '../limits.ts';
import type { Log } from '../log.ts';
import { HEALTH_PATHS } from '../process/health-endpoints.ts';
import { hasBody } from '../process/http-server.ts';
import { createLoopDelay } from '../process/loop-delay.ts';
import { memoryLimit } from '../process/memory-limit.ts';
import type { Metrics } from '../process/metrics.ts';
import { pathOf } from '../process/request-path.ts';
import type { App } from './app.ts';
import { placesFor } from './places.ts';
import type { CreateRefusal } from './problem-details.ts';
import { endBody, isStream, type Senders } from './slow-client.ts';
import { watchHandlers } from './watched-handlers.ts';

export interface Admission extends Senders {
  /** Wraps the framework: requests without a body take their place before it sees them. */
  guard(answer: RequestListener): RequestListener;
  /** Requests with a body take theirs when it has come; work is watched until it ends. Register it before all routes. */
  watch(app: App): void;
  /** The request is this organisation's: it no longer counts as a stranger's. */
  recognise(request: IncomingMessage, orgId: number): void;
}

export interface AdmissionParts {
  readonly createRefusal: CreateRefusal;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Of a sender who was signed in a moment ago, told without asking the database. */
  readonly organisationOf: (request: IncomingMessage) => number | undefined;
  readonly networkOf: (request: IncomingMessage) => string;
}

export function createAdmission({ createRefusal, metrics, log, organisationOf, networkOf }: AdmissionParts): Admission {
  const shed = metrics.counter('requests_shed', 'Requests refused because too many were in flight');
  const refuse = createRefusal(overloaded('requests'));
  /** Places; those of strangers are below. */
  const taken = { requests: 0, uploads: 0 };
  const uploads = createFairPlaces({ places: UPLOADS_AT_ONCE_MAX, perKey: UPLOADS_OF_ORGANISATION_MAX });
  const strangers = new Set<Place>();
  const queue = createPriorityQueue(WAITING_FOR_PLACES_MAX, WAITING_FOR_PLACES_MS);
  let isServing = false;
  const loopDelay = createLoopDelay();
  const memoryBytes = memoryLimit().bytes; // once: asking the kernel takes longer than a request's own work
  const places = () => placesFor(REQUESTS_IN_FLIGHT_MAX, loopDelay(), memoryBytes);
  const isFull = () => taken.requests >= places();
  metrics.gauge('requests_places', 'Requests of signed-in people that may be answered at a time', places);
  metrics.gauge('requests_waiting', 'Requests waiting for a place', () => queue.waiting);
  metrics.gauge('requests_in_flight', 'Requests being answered', () => taken.requests + strangers.size);
  metrics.gauge('uploads_in_flight', 'Files being received', () => taken.uploads);
  metrics.gauge('strangers_in_flight', 'Requests being answered to people who are not signed in', () => strangers.size);

  const isKnown = (request: IncomingMessage) => isRecognised(request) || organisationOf(request) !== undefined;

  function senderOf(request: Counted): string {
    const orgId = request.orgId ?? organisationOf(request);
    return orgId === undefined ? networkOf(request) : `organisation ${orgId}`;
  }

  function isShareUsed(request: IncomingMessage): boolean {
    const most = placesFor(STRANGERS_IN_FLIGHT_MAX, loopDelay(), memoryBytes);
    if (strangers.size < Math.min(STRANGERS_AT_EASE_MAX, most) || isKnown(request)) return false;
    if (strangers.size >= most) return true;
    const network = networkOf(request);
    let neighbours = 0;
    for (const place of strangers) if (networkOf(place.request) === network) neighbours++;
    return neighbours >= STRANGERS_PER_NETWORK_MAX;
  }

  /** Calls `go` when the request has a place, which may be at once, or `refuse`. */
  function ask(wanted: Wanted, go: () => void, refuse: () => void): void {
    const { kind, request, response } = wanted;
    const shedIt = () => {
      shed.inc();
      refuse();
    };
    const enter = (leave?: () => void) => {
      // A sign-in is a stranger's, whatever session comes with it.
      take(wanted, { leave, isKnown: wanted.class !== 'signIn' && isKnown(request) });
      go();
    };
    if (kind === 'uploads') {
      const leave = uploads.enter(senderOf(request), () => endBody(request, overloaded('files')));
      if (leave === undefined) shedIt();
      else enter(leave);
    } else if (isShareUsed(request)) shedIt();
    else if (!isFull()) enter();
    else {
      const leave = queue.join(wanted.class, senderOf(request), {
        refuse: shedIt,
        go() {
          if (isShareUsed(request))
            shedIt(); // strangers may have become many meanwhile
          else enter();
        },
      });
      if (leave === false) shedIt();
      else response.once('close', leave);
    }
  }

  /** One after another: an answer that is given at once gives its place back in the middle of this. */
  function serveWaiting(): void {
    if (isServing) return;
    isServing = true;
    try {
      while (!isFull() && queue.next());
    } finally {
      isServing = false;
    }
  }

  function take({ kind, request, response }: Wanted, { leave, isKnown }: Pick<Place, 'leave' | 'isKnown'>): void {
    const place: Place = { request, kind, isKnown, isOpen: !response.destroyed, works: 0, isCounted: false, leave };
    (request as Counted).place = place;
    // Its client went while somebody asked who it is: no `close` will come, and perhaps no handler either.
    if (!place.isOpen) leave?.();
    count(place);
    const end = () => {
      place.isOpen = false;
      count(place);
    };
    // The whole answer has been given to the connection: how long its client takes to read it is no work of ours.
    response.once('prefinish', end);
    // `close` is emitted once per response, even when the client disconnects early.
    response.once('close', () => {
      if (place.works > 0) giveUpLater(place);
      end();
    });
  }

  /** Brings the counts in line with what the place is needed for. */
  function count(place: Place): void {
    const isNeeded = place.isOpen || place.works > 0;
    if (isNeeded === place.isCounted) return;
    place.isCounted = isNeeded;
    if (isNeeded) {
      if (place.kind === 'requests' && !place.isKnown && !isRecognised(place.request)) strangers.add(place);
      else taken[place.kind]++;
      return;
    }
    clearTimeout(place.givingUp);
    if (!strangers.delete(place)) taken[place.kind]--;
    place.leave?.();
    serveWaiting();
  }

  /** A handler that never ends is a bug; it must not also cost a place for ever. */
  function giveUpLater(place: Place): void {
    clearTimeout(place.givingUp);
    place.givingUp = setTimeout(() => {
      log.error({ method: place.request.method }, 'a handler goes on long after its client has gone');
      place.works = 0;
      count(place);
    }, WORK_AFTER_CLOSE_MS).unref();
  }

  function begin(place: Place): (() => void) | false {
    // Nobody waits for this answer any more: it is worked for only if there is room.
    if (!place.isCounted && isFull()) return false;
    place.works++;
    count(place);
    if (!place.isOpen) giveUpLater(place); // its client went before it began
    return () => {
      place.works = Math.max(0, place.works - 1);
      count(place);
    };
  }

  return {
    guard: (answer) => (request, response) => {
      if (isProbe(request)) return answer(request, response);
      // A request with a body asks for its place when the body has come, unless it could not even wait for one.
      if (hasBody(request)) {
        const isHopeless = isFull() && !queue.hasRoom(isKnown(request) ? 'interactive' : 'signIn', senderOf(request));
        if (!isHopeless) return answer(request, response);
        shed.inc();
        return refuse(response);
      }
      const wanted = { kind: 'requests', class: classOf(request), request, response } as const;
      ask(
        wanted,
        () => answer(request, response),
        () => refuse(response),
      );
    },
    watch(app) {
      app.addHook('preValidation', (request, reply, done) => {
        const { raw } = request;
        if ((raw as Counted).place !== undefined || isProbe(raw)) return done();
        const kind = isStream(request.body) ? 'uploads' : 'requests';
        const isSignIn = request.routeOptions.config.public === true;
        const wanted = { kind, class: isSignIn ? 'signIn' : classOf(raw), request: raw, response: reply.raw } as const;
        ask(wanted, done, () => done(overloaded('requests')));
      });
      watchHandlers(app, { begin: ({ place }: Counted) => place && begin(place) });
    },
    recognise(request: Counted, orgId) {
      request.orgId = orgId;
      if (request.place !== undefined && strangers.delete(request.place)) taken.requests++;
    },
    isRecognised,
    senderOf,
  };
}

type Kind = 'requests' | 'uploads';

interface Wanted {
  readonly kind: Kind;
  readonly class: keyof typeof WAITING_FOR_PLACES_MAX;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Place {
  readonly request: IncomingMessage;
  readonly kind: Kind;
  /** Its sender was signed in a moment ago. As a stranger, until the database has said so, it would take the place of one and leave its own to others. */
  readonly isKnown: boolean;
  /** The answer has not been given yet, and the client is still there. */
  isOpen: boolean;
  /** How many handlers work for it. */
  works: number;
  isCounted: boolean;
  /** Set when the client has gone and work goes on. */
  givingUp?: NodeJS.Timeout;
  /** Gives back what else it has taken. */
  readonly leave: (() => void) | undefined;
}

/** Properties of the request itself: this is on the path of every request. */
interface Counted extends IncomingMessage {
  place?: Place;
  /** Of a sender who is signed in. */
  orgId?: number;
}

function isRecognised(request: Counted): boolean {
  return request.orgId !== undefined;
}

/** By convention, all files that are streamed are in one place. */
function classOf(request: IncomingMessage): 'export' | 'interactive' {
  return pathOf(request).startsWith('/api/v1/exports/') ? 'export' : 'interactive';
}

function isProbe(request: IncomingMessage): boolean {
  const path = pathOf(request);
  return HEALTH_PATHS.some((probe) => probe === path);
}

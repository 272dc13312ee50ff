// What it is. One connection at a time, which comes back when it is lost.
// What fails without it. When a server comes back, every page knocks in the same second and knocks it over again; and a
//   dead connection can take minutes to notice its own end.
// How it works. Each connection begins with a ticket for the link's token: a refusal of a ticket can be read, where a
//   browser shows a refused socket as a failure without a reason. Then come the socket and a hello, and with the welcome
//   it is up. After a loss there is a wait, exponential with full jitter, and never shorter than the server asked for
//   (protocol.js). A network or a person that comes back ends the wait. What the server refuses for good is the end.
// What it costs. A few seconds after an outage; one round trip per connection.
// Its bound. One ticket that is asked for or one socket; one timer of each kind; BACKOFF_MS, HINT_MS_MAX.
// Its proof. test/modules/conversations/connection.test.ts.

import {
  afterHelloError,
  BACKOFF_MS,
  CLOSE,
  failuresAfter,
  HINT_MS_MAX,
  hintOf,
  isMove,
  MOVE_UNSEEN_MS,
  protocolsOf,
  refusalOf,
  STABLE_AFTER_MS,
  WELCOME_WAIT_MS,
  waitMs,
} from './protocol.js';
import { createTimers } from './timers.js';

/** @import { ClientFrame, Hello, ServerFrame, TicketAnswer } from './protocol.js' */
/** @import { Environment } from './environment.js' */

const OPEN = 1; // WebSocket.OPEN
const CLOSED_WITHOUT_A_WORD = 1006; // RFC 6455

/**
 * @typedef {'connecting' | 'open' | 'waiting' | 'busy' | 'offline'} State `busy`: waiting because the server asked us to
 */

/**
 * @typedef {object} LinkReports
 * @property {() => Hello} greeting asked for before each hello; what was sent on the connection before is not answered
 * @property {(frame: ServerFrame) => void} frame
 * @property {() => void} away the connection is lost
 * @property {(lost: { code: number, opened: boolean }) => void} lost likewise, and another one will be tried
 * @property {() => void} back the person is, while there is a connection
 * @property {(state: State) => void} state
 * @property {(why: 'invalid' | 'gone' | 'outdated') => void} refused the end: no further connection is tried
 */

/**
 * Nothing happens before `connect`.
 * @param {{ url: string, token: string, on: LinkReports, environment: Required<Environment> }} given
 */
export function createLink({ url, token, on, environment }) {
  const { requestTicket, openSocket, random, now, watch } = environment;
  const timers = createTimers(environment);
  let asking = null; // for a ticket: what ends that
  let socket = null;
  let failures = 0; // connections lost in a row
  let isOffline = false;
  let wasUp = false; // ever
  let isUp = false;
  let isOver = false;
  let notBefore = 0; // the server asked us not to come back earlier
  let unseenUntil = 0; // until then we are on a move, and back before anybody notices

  function connect() {
    timers.stopAll();
    show(isOffline ? 'offline' : 'connecting');
    timers.start('welcome', drop, WELCOME_WAIT_MS);
    const mine = new AbortController();
    asking = mine;
    requestTicket(url, token, mine.signal).then(
      (answer) => asking === mine && ticketAnswered(answer),
      () => asking === mine && lost(CLOSED_WITHOUT_A_WORD, 0, false),
    );
  }

  /** @param {TicketAnswer} answer */
  function ticketAnswered(answer) {
    asking = null;
    if ('ticket' in answer) open(answer.ticket);
    else refusedHello(answer.code, answer.retryAfterMs);
  }

  function open(ticket) {
    const mine = openSocket(url, protocolsOf(ticket));
    let opened = false;
    socket = mine;
    mine.onopen = () => {
      opened = true;
      greet();
    };
    mine.onmessage = ({ data }) => on.frame(JSON.parse(data));
    mine.onclose = ({ code, reason }) => lost(code, hintOf(reason), opened);
    mine.onerror = () => undefined; // `close` follows
  }

  function greet() {
    isUp = false;
    send(on.greeting());
    timers.start('welcome', drop, WELCOME_WAIT_MS);
  }

  function welcomed() {
    timers.stop('welcome');
    timers.start('stable', succeeded, STABLE_AFTER_MS);
    isUp = true;
    wasUp = true;
    isOffline = false;
  }

  function succeeded() {
    failures = 0;
  }

  function refusedHello(code, retryAfterMs = 0) {
    const next = afterHelloError(code);
    // During a deploy an older server may not know our frames: the link was good before.
    if (next === 'again' || (code === 'invalid' && wasUp)) return drop(CLOSE.busy, retryAfterMs);
    end(next);
  }

  /** @param {ClientFrame} frame */
  function send(frame) {
    if (socket?.readyState === OPEN) socket.send(JSON.stringify(frame));
  }

  // A dead connection can take minutes to notice its own end: let go of it and act as if it had.
  function drop(code = CLOSED_WITHOUT_A_WORD, hintMs = 0) {
    letGo();
    lost(code, hintMs, true);
  }

  function letGo() {
    asking?.abort();
    asking = null;
    const old = socket;
    socket = null;
    if (old === null) return;
    old.onopen = old.onmessage = old.onclose = null;
    if (typeof old.terminate === 'function')
      old.terminate(); // of `ws`: nobody waits for the other side
    else old.close();
  }

  function lost(code, hintMs, opened) {
    timers.stopAll();
    asking = null;
    socket = null;
    if (isUp && isMove(code, hintMs)) unseenUntil = now() + MOVE_UNSEEN_MS;
    isUp = false;
    on.away();
    const refusal = refusalOf(code);
    if (refusal !== undefined) return refuse(refusal);
    on.lost({ code, opened });
    if (isOver) return;
    failures = failuresAfter(failures, code);
    notBefore = now() + Math.min(hintMs, HINT_MS_MAX);
    show(isOffline ? 'offline' : code === CLOSE.busy || hintMs > 0 ? 'busy' : 'waiting');
    // The browser may be wrong about the network, so we still try.
    timers.start('retry', connect, isOffline ? BACKOFF_MS.max : waitMs(failures, hintMs, random()));
  }

  function end(why) {
    letGo();
    refuse(why);
  }

  function refuse(why) {
    stop();
    on.refused(why);
  }

  function stop() {
    timers.stopAll();
    isOver = true;
    isUp = false;
    stopWatching();
  }

  const stopWatching = watch({
    offline() {
      isOffline = true;
      unseenUntil = 0;
      if (isAway()) return show('offline');
      drop();
    },
    online() {
      isOffline = false;
      if (isUp) return;
      letGo(); // it was begun on the network that is gone
      hurry();
    },
    back() {
      if (isAway()) hurry();
      else on.back();
    },
  });

  // The network is back, or the person is: no reason to sit out the rest of the wait, unless the server asked for it.
  function hurry() {
    if (now() >= notBefore) return connect();
    show('busy');
  }

  function isAway() {
    return socket === null && asking === null;
  }

  // A move is not told, unless it takes too long.
  /** @param {State} state */
  function show(state) {
    timers.stop('unseen');
    const leftMs = unseenUntil - now();
    if (leftMs <= 0) return on.state(state);
    timers.start('unseen', () => on.state(state), leftMs);
  }

  return {
    connect,
    send,
    /** Says hello once more, on the connection that there is. */
    greet,
    /** The hello was answered: the connection is up. */
    welcomed,
    /** And has caught up. */
    ready() {
      unseenUntil = 0;
      show('open');
    },
    /** The hello was refused. */
    refusedHello,
    /** The connection has proved good: the next wait is a short one again. */
    succeeded,
    show,
    /** Begins anew, after a wait. */
    drop: () => drop(),
    /** The server will not take us again. */
    end,
    close() {
      stop();
      letGo();
    },
    /** Between a welcome and the loss of its connection. */
    get isUp() {
      return isUp;
    },
    get isOver() {
      return isOver;
    },
  };
}

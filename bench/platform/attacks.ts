/**
 * What a client sends that means no good, attack by attack. None of them needs many bytes: what takes a service away is
 * not their volume, which is the network's business, but what the service keeps for each of them.
 */
import { BODY_BYTES_MAX } from '../../src/limits.ts';
import type { Account } from '../load/plan.ts';
import type { AttackName } from './attack-plan.ts';

/** What one socket does, from its connection to its end; then another one takes its place. */
export interface Course {
  /** Sent at once. */
  readonly first: string;
  /** Sent right behind it. */
  readonly body?: Buffer;
  /** Sent again and again after that. */
  readonly drip?: { readonly piece: string; readonly everyMs: number };
  /** Default: everything, as fast as it comes. */
  readonly reads?: 'nothing' | 'a byte a second';
  /** Says at once that nothing more will come (FIN), and stays. */
  readonly halfCloses?: true;
  /** Leaves as soon as an answer has begun. Default: stays until the server ends it. */
  readonly leaves?: true;
}

export interface Attack {
  readonly sockets: number;
  /** Every socket comes from a network of its own. Default: all of them from one. */
  readonly fromEverywhere?: true;
  course(nth: number, given: AttackContext): Course;
}

export interface AttackContext {
  readonly accounts: readonly Account[];
  readonly exports: readonly string[];
}

const DRIP_MS = 100;
const SLOW_SOCKETS = 500;
const MEGABYTE = 1024 * 1024;
const JSON_HEAD = { 'content-type': 'application/json' };
const LONG = { ...JSON_HEAD, 'content-length': '2000' };
const CHUNKED = { ...JSON_HEAD, 'transfer-encoding': 'chunked' };
const PUBLIC_POSTS = ['/api/v1/sessions', '/api/v1/registrations', '/api/v1/password-resets'];
const PIPELINED = 10;
const NEVER_ENDING_HEAD = 'GET /api/v1/me HTTP/1.1\r\nhost: x\r\nx-slow: ';
const BRACKETS = Buffer.alloc(MEGABYTE, '[');
const BRACKETS_AND_END = Buffer.concat([BRACKETS, Buffer.from('\r\n0\r\n\r\n')]);
/** Valid JSON, as deep as it is long. */
const NESTED = Buffer.from('['.repeat(BODY_BYTES_MAX / 2) + ']'.repeat(BODY_BYTES_MAX / 2));

const dripping = (first: string, piece = ' '): Course => ({ first, drip: { piece, everyMs: DRIP_MS } });

export const ATTACK_COURSES: Readonly<Record<AttackName, Attack>> = {
  'dribbled headers': {
    sockets: SLOW_SOCKETS,
    course: () => dripping(NEVER_ENDING_HEAD, 'x'),
  },

  'dripping bodies': {
    sockets: SLOW_SOCKETS,
    course: (nth) => {
      const line = `POST ${of(PUBLIC_POSTS, nth)}`;
      return nth % 2 === 0
        ? dripping(`${head(line, LONG)}{`)
        : dripping(`${head(line, CHUNKED)}1\r\n{\r\n`, '1\r\n \r\n');
    },
  },

  /** Wherever a place could be taken before somebody is known. */
  'drips where nobody is known': {
    sockets: SLOW_SOCKETS,
    course: (nth) => dripping(`${head(of(LINES_OF_NOBODY, nth), LONG)}{`),
  },

  /** Somebody who may send a body, and does not. */
  'drips of a customer': {
    sockets: SLOW_SOCKETS,
    course: (nth, { accounts }) => {
      const line = of(['POST /api/v1/api-keys', 'PUT /api/v1/password', 'POST /api/v1/suppressions'], nth);
      return dripping(`${head(line, { ...LONG, ...bearer(of(accounts, nth)) })}{`);
    },
  },

  /** Half with a right password, half for addresses that nobody has, which cost as much. */
  'sign-ins at once': {
    sockets: 50,
    fromEverywhere: true,
    course: (nth, { accounts }) => {
      const { email, password } = of(accounts, nth);
      const given =
        nth % 2 === 0 ? { email, password } : { email: `nobody-${nth}@attack.test`, password: 'a wrong one' };
      const body = JSON.stringify(given);
      return post('/api/v1/sessions', { ...JSON_HEAD, connection: 'close' }, Buffer.from(body));
    },
  },

  /** Of a stranger and of a customer; with a length, without one, and in a body that is just not too large. */
  brackets: {
    sockets: 50,
    course: (nth, { accounts }) => {
      const customer = { ...JSON_HEAD, ...bearer(of(accounts, nth)) };
      const kinds = [
        () => post('/api/v1/sessions', JSON_HEAD, BRACKETS),
        () => chunkedBrackets('/api/v1/sessions', JSON_HEAD),
        () => post('/api/v1/suppressions', customer, BRACKETS),
        () => post('/api/v1/suppressions', { ...customer, connection: 'close' }, BRACKETS.subarray(0, BODY_BYTES_MAX)),
        () => post('/api/v1/suppressions', { ...customer, connection: 'close' }, NESTED),
      ];
      return of(kinds, nth)();
    },
  },

  'unread exports': {
    sockets: 20,
    course: (nth, given) => ({ first: exportOf('GET', nth, given), reads: 'nothing' }),
  },

  'exports by HEAD': {
    sockets: 20,
    course: (nth, given) => ({ first: exportOf('HEAD', nth, given), leaves: true }),
  },

  /** Of long answers, so that the kernel's buffers do not take them for the client. */
  'a byte a second': {
    sockets: 100,
    course: (nth, given) => ({
      first:
        nth % 2 === 0 ? exportOf('GET', Math.floor(nth / 2), given) : head('GET /docs/openapi.json').repeat(PIPELINED),
      reads: 'a byte a second',
    }),
  },

  /** Several whole ones, and then one that never ends; no answer is read. */
  'pipelined requests': {
    sockets: 200,
    course: (nth, { accounts }) => ({
      ...dripping(`${head('GET /api/v1/me', bearer(of(accounts, nth))).repeat(PIPELINED)}${NEVER_ENDING_HEAD}`, 'x'),
      reads: 'nothing',
    }),
  },

  'bodies that are never sent': {
    sockets: SLOW_SOCKETS,
    course: (nth, { accounts }) => {
      const who = nth % 2 === 0 ? {} : bearer(of(accounts, nth));
      const path = nth % 2 === 0 ? of(PUBLIC_POSTS, nth) : '/api/v1/suppressions';
      return { first: head(`POST ${path}`, { ...LONG, ...who, expect: '100-continue' }) };
    },
  },

  'tiny chunks': {
    sockets: 50,
    course: (nth) => ({
      first: head(`POST ${of([...PUBLIC_POSTS, '/api/v1/nowhere'], nth)}`, CHUNKED),
      drip: { piece: '1;x=y\r\n \r\n'.repeat(10), everyMs: DRIP_MS / 10 },
    }),
  },

  /** More than are allowed, more bytes than are allowed, and as many as just pass. */
  'many headers': {
    sockets: 50,
    course: (nth) => ({ first: of(HEADS_OF_MANY_LINES, nth) }),
  },

  'half-closed sockets': {
    sockets: SLOW_SOCKETS,
    course: (nth, { accounts }) => ({
      first: of(
        [
          'GET /api/v1/me HTTP/1.1\r\nhost: x\r\n',
          head('GET /api/v1/me', bearer(of(accounts, nth))),
          `${head('POST /api/v1/sessions', LONG)}{`,
          '',
        ],
        nth,
      ),
      halfCloses: true,
    }),
  },
};

/** Made once: what they cost the attacker is taken from the machine that both share. */
const HEADS_OF_MANY_LINES = [90, 500, 2_000].map((lines) => {
  const headers = Object.fromEntries(Array.from({ length: lines }, (_, line) => [`x-${line}`, 'y']));
  return head('GET /api/v1/me', { ...headers, connection: 'close' });
});

/** Connections of all sockets together, one after another: it is about what they hold, not about how fast they knock. */
export const COME_PER_SECOND = 500;

const LINES_OF_NOBODY = [
  'HEAD /api/v1/me',
  'HEAD /api/v1/nowhere',
  'OPTIONS /api/v1/me',
  'OPTIONS *',
  'GET /api/v1/me',
  'POST /api/v1/me',
  'PUT /api/v1/me',
  'PATCH /api/v1/users/1',
  'DELETE /api/v1/sessions/current',
  'POST /api/v1/api-keys',
  'POST /api/v1/nowhere',
  'POST /nowhere',
  'PUT /',
  'POST /livez',
  'POST /docs/openapi.json',
  'TRACE /api/v1/me',
  'QUERY /api/v1/me',
];

/** The first line of a request and its headers. */
function head(line: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

function post(path: string, headers: Readonly<Record<string, string>>, body: Buffer): Course {
  return { first: head(`POST ${path}`, { ...headers, 'content-length': String(body.length) }), body };
}

/** In one chunk. */
function chunkedBrackets(path: string, headers: Readonly<Record<string, string>>): Course {
  const first = head(`POST ${path}`, { ...headers, 'transfer-encoding': 'chunked' });
  return { first: `${first}${BRACKETS.length.toString(16)}\r\n`, body: BRACKETS_AND_END };
}

function exportOf(method: string, nth: number, { accounts, exports }: AttackContext): string {
  return head(`${method} ${of(exports, nth)}`, bearer(of(accounts, nth)));
}

function bearer({ token }: Account): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

function of<T>(list: readonly T[], nth: number): T {
  return list[nth % list.length] as T;
}

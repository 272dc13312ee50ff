/**
 * What it is: argon2id, a few hashes at once, with a bounded queue behind them.
 * What fails without it: hashes share Node's pool of four threads with DNS and file access: behind 200 sign-ins at
 *   once a DNS lookup takes seconds instead of milliseconds (bench/results/patterns.json).
 *   And whoever sends the most sign-ins is the only one who signs in.
 * How it works: a fair queue in front of Node's own argon2. Networks take turns, devices that have signed in before have
 *   a lane of their own, and a sign-in whose client has gone is not worked for. When the queue is full, a caller gets a
 *   503, before anything is looked up for it. One core is left to everybody else: the threads that hash give way to the one that answers requests
 *   (src/process/yield-processor.ts), but not to the database on the same machine, which each page waits for as well:
 *   so after each hash they rest, and meanwhile both cores are everybody else's.
 *   Passwords are normalised (NFKC): another keyboard, or another system, may type the same letters in other characters.
 * What it costs: 19 MiB and one thread per hash in progress (OWASP's parameters: 19 MiB, 2 passes, 1 lane).
 * Its bound: PASSWORD_HASHES_AT_ONCE_MAX, PASSWORD_HASHES_WAITING_MAX, PASSWORD_HASH_WAIT_MS, PASSWORD_HASH_REST_SHARE.
 * Its proof: test/http/password-hashing.test.ts, bench/patterns/password-hashing, bench/scenarios/attacks.ts.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { createFairSemaphore, type Turn } from '../flow/fair-semaphore.ts';
import {
  PASSWORD_HASH_REST_SHARE,
  PASSWORD_HASH_WAIT_MS,
  PASSWORD_HASHES_AT_ONCE_MAX,
  PASSWORD_HASHES_WAITING_MAX,
} from '../limits.ts';
import { yieldPoolThreads } from '../process/yield-processor.ts';

const PARAMETERS = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
const SALT_BYTES = 16;
const deriveInPool = promisify(argon2);
const ANYBODY: Turn = { key: '' };

/** Stored instead of a hash for somebody who has no password, and signs in with a provider: no password matches it. */
export const NO_PASSWORD = 'none';

export interface PasswordHasher {
  /** A PHC string: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`. Rejects with `overloaded` when the queue is full. */
  hash(password: string, turn?: Turn): Promise<string>;
  /** Takes the same time for an unknown user (`undefined`), and for one without a password, as for a wrong password. */
  verify(password: string, stored: string | undefined, turn?: Turn): Promise<boolean>;
  /**
   * Before what is looked up for a hash: behind a full queue nothing is. Throws `overloaded`. It must be left in the
   * end, whether or not a password was verified.
   */
  enter(turn: Turn): VerifyingPlace;
  readonly waiting: number;
}

/** In the queue of hashes, for one password. */
export interface VerifyingPlace {
  verify(password: string, stored: string | undefined): Promise<boolean>;
  leave(): void;
}

/** `cores`: those that the container may use. */
export function createPasswordHasher(cores = availableParallelism()): PasswordHasher {
  const queue = createFairSemaphore('sign-ins', {
    atOnce: hashesAtOnce(cores),
    waiting: PASSWORD_HASHES_WAITING_MAX,
    waitMs: PASSWORD_HASH_WAIT_MS,
    restShare: PASSWORD_HASH_REST_SHARE,
  });
  let hasYielded = false;
  /** The threads of the pool exist from the first time on. */
  const derive: typeof deriveInPool = (...given) => {
    const hashing = deriveInPool(...given);
    if (!hasYielded) yieldPoolThreads();
    hasYielded = true;
    return hashing;
  };

  function enter(turn: Turn): VerifyingPlace {
    const place = queue.enter(turn);
    return {
      leave: place.leave,
      async verify(password, known = NO_PASSWORD) {
        const stored = known === NO_PASSWORD ? NOBODY : known;
        const { parameters, salt, tag } = parse(stored);
        const isRight = async (message: string) => {
          const given = await derive('argon2id', { ...parameters, message, nonce: salt });
          return timingSafeEqual(given, tag) && stored !== NOBODY;
        };
        // Then as somebody may have typed it before passwords were normalised: text that comes in has been composed. In the
        // same turn, because a queue that is full by then would say that nothing was judged.
        const forms = new Set([password.normalize('NFKC'), password, password.normalize('NFD')]);
        return place.run(async () => {
          for (const form of forms) if (await isRight(form)) return true;
          return false;
        });
      },
    };
  }

  return {
    async hash(password, turn = ANYBODY) {
      const salt = randomBytes(SALT_BYTES);
      const message = password.normalize('NFKC');
      const tag = await queue.run(turn, () => derive('argon2id', { ...PARAMETERS, message, nonce: salt }));
      return format(salt, tag);
    },
    async verify(password, stored, turn = ANYBODY) {
      const place = enter(turn);
      return place.verify(password, stored).finally(place.leave);
    },
    enter,
    get waiting() {
      return queue.waiting;
    },
  };
}

/** One core stays free; one hash at a time is the least. */
export function hashesAtOnce(cores = availableParallelism()): number {
  return Math.max(1, Math.min(PASSWORD_HASHES_AT_ONCE_MAX, cores - 1));
}

function format(salt: Buffer, tag: Buffer): string {
  const { memory, passes, parallelism } = PARAMETERS;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

function parse(stored: string) {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(stored);
  if (match === null) throw new Error('A password hash in the database is not an argon2id PHC string');
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number) as [number, number, number];
  const tag = Buffer.from(match[5] as string, 'base64');
  return {
    parameters: { memory, passes, parallelism, tagLength: tag.length },
    salt: Buffer.from(match[4] as string, 'base64'),
    tag,
  };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

const NOBODY = format(Buffer.alloc(SALT_BYTES), Buffer.alloc(PARAMETERS.tagLength));

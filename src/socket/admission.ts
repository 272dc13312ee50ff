/**
 * What it is: decides which sockets get a place, and gives the places of clients that only hold them to those that speak.
 * What fails without it: anybody who opens sockets and says nothing takes all places, and people with a link are refused;
 *   one address, or one link in ten thousand windows, takes the process from everybody else.
 * How it works: a socket is a stranger until its handler welcomes it. Strangers can have some of the places only. When they
 *   have all of those, a new one takes the place of the oldest that is silent; people say hello within milliseconds, and
 *   are strangers no longer. An address has a rate of new sockets (token bucket) and a number of places, of which its
 *   oldest strangers lose theirs first.
 * What it costs: a few map entries per address. Its bound: the limits; RATE_LIMIT_KEYS_MAX addresses are remembered.
 * Its proof: test/socket/admission.test.ts, bench/patterns/connection-admission.
 */
import { LRUCache } from 'lru-cache';
import {
  RATE_LIMIT_KEYS_MAX,
  RETRY_AFTER_SECONDS,
  SOCKET_STRANGERS_MAX,
  SOCKETS_FROM_ADDRESS,
  SOCKETS_MAX,
} from '../limits.ts';
import type { Refusal } from './refusal.ts';

export interface AdmissionLimits {
  readonly places: number;
  readonly placesPerAddress: number;
  readonly strangers: number;
  /** New sockets of one address: at most `burst` at once, and then `perSecond`. */
  readonly perSecond: number;
  readonly burst: number;
}

/** The limits of one process. */
export function admissionLimits(placesPerAddress: number): AdmissionLimits {
  return {
    places: SOCKETS_MAX,
    placesPerAddress,
    strangers: SOCKET_STRANGERS_MAX,
    ...SOCKETS_FROM_ADDRESS,
  };
}

export interface Admission {
  /** Takes a place for a socket, or says why it gets none. `evict` must end the socket when another takes its place. */
  enter(address: string, evict: () => void): Place | Refusal;
  readonly strangers: number;
}

export interface Place {
  /** A stranger can lose its place. A client that has been welcomed, or whose message is being handled, cannot. */
  setStranger(isStranger: boolean): void;
  /** False if `key` has `placesMax` already. A place has one key at a time, and gives it back when it leaves. */
  join(key: string, placesMax: number): boolean;
  leave(): void;
  /** Counts as many new sockets: for a client that was cut off for what it sent, and will be back. */
  fine(sockets: number): void;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

interface Address {
  places: number;
  readonly strangers: Set<Holder>;
}

interface Holder {
  evict(): void;
}

export function createAdmission(limits: AdmissionLimits): Admission {
  const buckets = new LRUCache<string, Bucket>({ max: RATE_LIMIT_KEYS_MAX });
  const addresses = new Map<string, Address>();
  /** Oldest first. */
  const strangers = new Set<Holder>();
  const placesByKey = new Map<string, number>();
  let places = 0;

  function enter(address: string, evict: () => void): Place | Refusal {
    if (!spend(address, 1)) return { status: 429, retryAfterSeconds: RETRY_AFTER_SECONDS };
    const from = addresses.get(address) ?? { places: 0, strangers: new Set() };
    while (from.places >= limits.placesPerAddress) {
      if (!evictOldest(from.strangers)) return { status: 429, retryAfterSeconds: RETRY_AFTER_SECONDS };
    }
    while (places >= limits.places || strangers.size >= limits.strangers) {
      if (!evictOldest(strangers)) return { status: 503, retryAfterSeconds: RETRY_AFTER_SECONDS };
    }
    return takePlace(address, evict);
  }

  function takePlace(address: string, evict: () => void): Place {
    const from = addresses.get(address) ?? { places: 0, strangers: new Set() };
    addresses.set(address, from);
    places++;
    from.places++;
    let isHeld = true;
    let joined: string | undefined;
    const holder: Holder = {
      evict() {
        leave();
        evict();
      },
    };

    function setStranger(isStranger: boolean): void {
      if (isStranger && isHeld) {
        strangers.add(holder);
        from.strangers.add(holder);
      } else {
        strangers.delete(holder);
        from.strangers.delete(holder);
      }
    }

    function join(key: string, placesMax: number): boolean {
      if (key === joined) return true;
      const others = placesByKey.get(key) ?? 0;
      if (!isHeld || others >= placesMax) return false;
      leaveKey();
      placesByKey.set(key, others + 1);
      joined = key;
      return true;
    }

    function leaveKey(): void {
      if (joined === undefined) return;
      const others = (placesByKey.get(joined) ?? 0) - 1;
      if (others > 0) placesByKey.set(joined, others);
      else placesByKey.delete(joined);
      joined = undefined;
    }

    function leave(): void {
      if (!isHeld) return;
      isHeld = false;
      setStranger(false);
      leaveKey();
      places--;
      if (--from.places === 0) addresses.delete(address);
    }

    setStranger(true);
    return { setStranger, join, leave, fine: (sockets) => void spend(address, sockets) };
  }

  function spend(address: string, sockets: number): boolean {
    const now = performance.now();
    const bucket = buckets.get(address) ?? { tokens: limits.burst, filledAt: now };
    bucket.tokens = Math.min(limits.burst, bucket.tokens + ((now - bucket.filledAt) / 1_000) * limits.perSecond);
    bucket.filledAt = now;
    buckets.set(address, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens = Math.max(0, bucket.tokens - sockets);
    return true;
  }

  return {
    enter,
    get strangers() {
      return strangers.size;
    },
  };
}

function evictOldest(holders: ReadonlySet<Holder>): boolean {
  const [oldest] = holders;
  oldest?.evict();
  return oldest !== undefined;
}

/**
 * What it is: decides which sockets get a place, and gives the places of clients that only hold them to those that speak.
 * What fails without it: anybody who opens sockets and says nothing takes all places, and people with a link are refused;
 *   one address, or one link in ten thousand windows, takes the process from everybody else.
 * How it works: a client with a ticket (see ticket) is known. Anybody else is a stranger until its handler welcomes it.
 *   Strangers can have some of the places only. When they have all of those, a new one takes the place of the oldest that
 *   is silent; people say hello within milliseconds, and are strangers no longer. An address has a rate of new strangers
 *   (token bucket), which those who are known do not share, and a number of places, of which its oldest strangers lose
 *   theirs first.
 * What it costs: a few map entries per address. Its bound: the limits; RATE_LIMIT_KEYS_MAX addresses are remembered.
 * Its proof: test/socket/admission.test.ts, bench/patterns/connection-admission.
 */
import { createTokenBuckets, type Rate } from '../flow/token-bucket.ts';
import { RETRY_AFTER_SECONDS, SOCKET_STRANGERS_MAX, SOCKETS_FROM_ADDRESS, SOCKETS_MAX } from '../limits.ts';
import type { Refusal } from './refusal.ts';

/** The rate is that of the new strangers of one address. */
export interface AdmissionLimits extends Rate {
  readonly places: number;
  readonly placesPerAddress: number;
  readonly strangers: number;
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
  /**
   * Takes a place for a socket, or says why it gets none. `evict` must end the socket when another takes its place, which
   * does not happen to one that is known.
   */
  enter(address: string, evict: () => void, options?: { isKnown?: boolean }): Place | Refusal;
  /** Counts as a new stranger of that address, which gets no place. */
  knock(address: string): Refusal | undefined;
  /** Why somebody known from there would get no place now. */
  refusalOf(address: string): Refusal | undefined;
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

interface Address {
  places: number;
  readonly strangers: Set<Holder>;
}

interface Holder {
  evict(): void;
}

export function createAdmission(limits: AdmissionLimits): Admission {
  const knocks = createTokenBuckets(limits);
  const addresses = new Map<string, Address>();
  /** Oldest first. */
  const strangers = new Set<Holder>();
  const placesByKey = new Map<string, number>();
  let places = 0;

  function enter(address: string, evict: () => void, { isKnown = false } = {}): Place | Refusal {
    const tooFast = isKnown ? undefined : knock(address);
    if (tooFast !== undefined) return tooFast;
    const from = addresses.get(address);
    while ((from?.places ?? 0) >= limits.placesPerAddress) {
      if (!evictOldest(from?.strangers ?? new Set())) return TOO_MANY;
    }
    while (places >= limits.places || (!isKnown && strangers.size >= limits.strangers)) {
      if (!evictOldest(strangers)) return FULL;
    }
    return takePlace(address, evict, isKnown);
  }

  function knock(address: string): Refusal | undefined {
    return knocks.spend(address) ? undefined : TOO_MANY;
  }

  function refusalOf(address: string): Refusal | undefined {
    const from = addresses.get(address);
    if ((from?.places ?? 0) >= limits.placesPerAddress && from?.strangers.size === 0) return TOO_MANY;
    return places >= limits.places && strangers.size === 0 ? FULL : undefined;
  }

  function takePlace(address: string, evict: () => void, isKnown: boolean): Place {
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
      if (isStranger && isHeld && !isKnown) {
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
    return { setStranger, join, leave, fine: (sockets) => void knocks.spend(address, sockets) };
  }

  return {
    enter,
    knock,
    refusalOf,
    get strangers() {
      return strangers.size;
    },
  };
}

const TOO_MANY: Refusal = { status: 429, retryAfterSeconds: RETRY_AFTER_SECONDS };
const FULL: Refusal = { status: 503, retryAfterSeconds: RETRY_AFTER_SECONDS };

function evictOldest(holders: ReadonlySet<Holder>): boolean {
  const [oldest] = holders;
  oldest?.evict();
  return oldest !== undefined;
}

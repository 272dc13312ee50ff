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

/** Everybody of one address. */
interface Address {
  readonly name: string;
  places: number;
  readonly strangers: Set<HeldPlace>;
}

export function createAdmission(limits: AdmissionLimits): Admission {
  const house: House = { addresses: new Map(), strangers: new Set(), placesByKey: new Map(), places: 0, spend };
  const { addresses, strangers } = house;
  const buckets = new LRUCache<string, Bucket>({ max: RATE_LIMIT_KEYS_MAX });

  function enter(name: string, evict: () => void): Place | Refusal {
    if (!spend(name, 1)) return { status: 429, retryAfterSeconds: RETRY_AFTER_SECONDS };
    const from = addresses.get(name) ?? { name, places: 0, strangers: new Set() };
    while (from.places >= limits.placesPerAddress) {
      if (!evictOldest(from.strangers)) return { status: 429, retryAfterSeconds: RETRY_AFTER_SECONDS };
    }
    while (house.places >= limits.places || strangers.size >= limits.strangers) {
      if (!evictOldest(strangers)) return { status: 503, retryAfterSeconds: RETRY_AFTER_SECONDS };
    }
    return new HeldPlace(house, from, evict);
  }

  function spend(name: string, sockets: number): boolean {
    const now = performance.now();
    const bucket = buckets.get(name) ?? { tokens: limits.burst, filledAt: now };
    bucket.tokens = Math.min(limits.burst, bucket.tokens + ((now - bucket.filledAt) / 1_000) * limits.perSecond);
    bucket.filledAt = now;
    buckets.set(name, bucket);
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

interface House {
  readonly addresses: Map<string, Address>;
  /** Oldest first. */
  readonly strangers: Set<HeldPlace>;
  readonly placesByKey: Map<string, number>;
  places: number;
  spend(address: string, sockets: number): boolean;
}

/** A class, because there is one per socket: closures would take half a kilobyte more. */
class HeldPlace implements Place {
  private readonly house: House;
  private readonly from: Address;
  private readonly onEvict: () => void;
  private isHeld = true;
  private joined: string | undefined;

  constructor(house: House, from: Address, onEvict: () => void) {
    this.house = house;
    this.from = from;
    this.onEvict = onEvict;
    house.addresses.set(from.name, from);
    house.places++;
    from.places++;
    this.setStranger(true);
  }

  setStranger(isStranger: boolean): void {
    for (const strangers of [this.house.strangers, this.from.strangers]) {
      if (isStranger && this.isHeld) strangers.add(this);
      else strangers.delete(this);
    }
  }

  join(key: string, placesMax: number): boolean {
    if (key === this.joined) return true;
    const { placesByKey } = this.house;
    const others = placesByKey.get(key) ?? 0;
    if (!this.isHeld || others >= placesMax) return false;
    this.leaveKey();
    placesByKey.set(key, others + 1);
    this.joined = key;
    return true;
  }

  leave(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.setStranger(false);
    this.leaveKey();
    this.house.places--;
    if (--this.from.places === 0) this.house.addresses.delete(this.from.name);
  }

  fine(sockets: number): void {
    this.house.spend(this.from.name, sockets);
  }

  evict(): void {
    this.leave();
    this.onEvict();
  }

  private leaveKey(): void {
    if (this.joined === undefined) return;
    const { placesByKey } = this.house;
    const others = (placesByKey.get(this.joined) ?? 0) - 1;
    if (others > 0) placesByKey.set(this.joined, others);
    else placesByKey.delete(this.joined);
    this.joined = undefined;
  }
}

function evictOldest(places: ReadonlySet<HeldPlace>): boolean {
  const [oldest] = places;
  oldest?.evict();
  return oldest !== undefined;
}

/**
 * What it is: decides which sockets get a place, and gives the places of clients that only hold them to those that speak.
 * What fails without it: anybody who opens sockets and says nothing takes all places, and people with a link are refused;
 *   one address, or one link in ten thousand windows, takes the process from everybody else.
 * How it works: a client with a ticket (see ticket) is known. Anybody else is a stranger until its handler welcomes it.
 *   Strangers can have some of the places only. When they have all of those, a new one takes the place of the oldest that
 *   is silent; people say hello within milliseconds, and are strangers no longer. An address has a number of places, of
 *   which its oldest strangers lose theirs first, a rate of new strangers (token bucket), and a rate of tickets of its own,
 *   so that neither those who only knock nor the owner of many links can keep a process busy with connections.
 * What it costs: a few map entries per address. Its bound: the limits, TICKETS_TURNOVER_SECONDS; RATE_LIMIT_KEYS_MAX
 *   addresses are remembered.
 * Its proof: test/socket/admission.test.ts, bench/patterns/connection-admission.
 */
import { createTokenBuckets, type Rate, type TokenBuckets } from '../flow/token-bucket.ts';
import {
  RETRY_AFTER_SECONDS,
  SOCKET_STRANGERS_MAX,
  SOCKETS_FROM_ADDRESS,
  SOCKETS_MAX,
  TICKETS_PER_LINK,
  TICKETS_TURNOVER_SECONDS,
} from '../limits.ts';
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
  /** Counts as a ticket for that address, which is given unless there have been too many. */
  admit(address: string): Refusal | undefined;
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

/** Everybody of one address. */
interface Address {
  readonly name: string;
  places: number;
  readonly strangers: Set<HeldPlace>;
}

export function createAdmission(limits: AdmissionLimits): Admission {
  const knocks = createTokenBuckets(limits);
  const tickets = createTokenBuckets(ticketRate(limits));
  const house: House = { addresses: new Map(), strangers: new Set(), placesByKey: new Map(), places: 0, knocks };
  const { addresses, strangers } = house;

  function enter(name: string, evict: () => void, { isKnown = false } = {}): Place | Refusal {
    const tooFast = isKnown ? undefined : knock(name);
    if (tooFast !== undefined) return tooFast;
    const from = addresses.get(name) ?? { name, places: 0, strangers: new Set() };
    while (from.places >= limits.placesPerAddress) {
      if (!evictOldest(from.strangers)) return TOO_MANY;
    }
    while (house.places >= limits.places || (!isKnown && strangers.size >= limits.strangers)) {
      if (!evictOldest(strangers)) return FULL;
    }
    return new HeldPlace(house, from, evict, isKnown);
  }

  function knock(address: string): Refusal | undefined {
    return knocks.spend(address) ? undefined : TOO_MANY;
  }

  function admit(address: string): Refusal | undefined {
    return tickets.spend(address) ? undefined : TOO_MANY;
  }

  function refusalOf(address: string): Refusal | undefined {
    const from = addresses.get(address);
    if ((from?.places ?? 0) >= limits.placesPerAddress && from?.strangers.size === 0) return TOO_MANY;
    return house.places >= limits.places && strangers.size === 0 ? FULL : undefined;
  }

  return {
    enter,
    knock,
    admit,
    refusalOf,
    get strangers() {
      return strangers.size;
    },
  };
}

/** Of one address. Never less than that of one link: with very few places people still have to come back. */
function ticketRate({ placesPerAddress }: AdmissionLimits): Rate {
  return {
    burst: Math.max(placesPerAddress, TICKETS_PER_LINK.burst),
    perSecond: Math.max(placesPerAddress / TICKETS_TURNOVER_SECONDS, TICKETS_PER_LINK.perSecond),
  };
}

interface House {
  readonly addresses: Map<string, Address>;
  /** Oldest first. */
  readonly strangers: Set<HeldPlace>;
  readonly placesByKey: Map<string, number>;
  places: number;
  readonly knocks: TokenBuckets;
}

/** A class, because there is one per socket: closures would take half a kilobyte more. */
class HeldPlace implements Place {
  private readonly house: House;
  private readonly from: Address;
  private readonly onEvict: () => void;
  private readonly isKnown: boolean;
  private isHeld = true;
  private joined: string | undefined;

  constructor(house: House, from: Address, onEvict: () => void, isKnown: boolean) {
    this.house = house;
    this.from = from;
    this.onEvict = onEvict;
    this.isKnown = isKnown;
    house.addresses.set(from.name, from);
    house.places++;
    from.places++;
    this.setStranger(true);
  }

  setStranger(isStranger: boolean): void {
    for (const strangers of [this.house.strangers, this.from.strangers]) {
      if (isStranger && this.isHeld && !this.isKnown) strangers.add(this);
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
    this.house.knocks.spend(this.from.name, sockets);
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

export const TOO_MANY: Refusal = { status: 429, retryAfterSeconds: RETRY_AFTER_SECONDS };
const FULL: Refusal = { status: 503, retryAfterSeconds: RETRY_AFTER_SECONDS };

function evictOldest(places: ReadonlySet<HeldPlace>): boolean {
  const [oldest] = places;
  oldest?.evict();
  return oldest !== undefined;
}

/**
 * Whether an answer is right. A number of requests per second without this says only how fast something was said.
 * Checks are named, so that a plan can be sent to another process; each returns undefined or what is wrong, in words.
 */
import { OWNED_IDS_MAX } from './limits.ts';
import type { Random } from './random.ts';

const FIRST_IDS_KEPT = 20;

export interface CheckedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
}

export interface CheckArgs {
  readonly limit?: number;
  readonly order?: 'asc' | 'desc';
  /** Ids of a page start beyond this one. */
  readonly after?: number;
  readonly id?: number;
  /** Fields that must have these values. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly orgId?: number;
  /** What kind of row it is: a row seen by two organisations is a leak. */
  readonly kind?: string;
  readonly text?: string;
  /** What a module's own checks want to know. */
  readonly [own: string]: unknown;
}

export interface CheckCall {
  readonly name: string;
  readonly args?: CheckArgs;
}

/** Whose row is it: remembered across accounts, because only one that sees all can tell a leak. */
export interface Owners {
  /** False when another organisation has been shown this row before. */
  claim(kind: string, id: number, orgId: number): boolean;
  /** A row of this kind that belongs to somebody else. */
  foreign(kind: string, orgId: number): number | undefined;
  /** One of its own, of the first few that were seen. */
  own(kind: string, orgId: number, random: Random): number | undefined;
}

export type Check = (answer: CheckedAnswer, args: CheckArgs, owners: Owners) => string | undefined;
export type Checks = Readonly<Record<string, Check>>;

export function runCheck(
  checks: Checks,
  call: CheckCall | undefined,
  answer: CheckedAnswer,
  owners: Owners,
): string | undefined {
  if (call === undefined) return undefined;
  const check = checks[call.name];
  if (check === undefined) return `there is no check called ${call.name}`;
  try {
    return check(answer, call.args ?? {}, owners);
  } catch (error) {
    return `not of the shape that was promised: ${error instanceof Error ? error.message : error}`;
  }
}

export function createOwners(): Owners {
  const owners = new Map<string, number>();
  const firstOf = new Map<string, number[]>();
  return {
    claim(kind, id, orgId) {
      const known = owners.get(`${kind} ${id}`);
      if (known !== undefined) return known === orgId;
      if (owners.size < OWNED_IDS_MAX) owners.set(`${kind} ${id}`, orgId);
      const first = firstOf.get(`${kind} ${orgId}`) ?? [];
      if (first.length < FIRST_IDS_KEPT) first.push(id);
      firstOf.set(`${kind} ${orgId}`, first);
      return true;
    },
    foreign(kind, orgId) {
      for (const [key, [id]] of firstOf) if (key.startsWith(`${kind} `) && key !== `${kind} ${orgId}`) return id;
      return undefined;
    },
    own: (kind, orgId, random) => random.pick(firstOf.get(`${kind} ${orgId}`) ?? []),
  };
}

/** The part of a row that checks need. */
export interface Row {
  readonly id: number;
  readonly name?: string;
  readonly email?: string;
}

export function checkPage(answer: CheckedAnswer, args: CheckArgs, owners: Owners): string | undefined {
  const { items, nextCursor } = answer.json as { items: Row[]; nextCursor?: string | null };
  const { limit, order, orgId, kind } = args;
  if (limit !== undefined && items.length > limit) return `${items.length} items where at most ${limit} were asked for`;
  if (limit !== undefined && items.length < limit && nextCursor) return `a cursor after a page of ${items.length}`;
  if (limit !== undefined && typeof nextCursor !== 'string' && nextCursor !== null) return 'no nextCursor';
  let last = args.after;
  for (const { id } of items) {
    if (!Number.isInteger(id)) return `an id is ${id}`;
    if (order === 'asc' && last !== undefined && id <= last) return `id ${id} comes after ${last}`;
    if (order === 'desc' && last !== undefined && id >= last) return `id ${id} comes after ${last}`;
    if (kind !== undefined && orgId !== undefined && !owners.claim(kind, id, orgId))
      return `${kind} ${id} belongs to another organisation`;
    last = id;
  }
  return undefined;
}

export function checkObject(answer: CheckedAnswer, args: CheckArgs, owners: Owners): string | undefined {
  const object = answer.json as Row & Record<string, unknown>;
  const { id, fields = {}, kind, orgId } = args;
  if (typeof object !== 'object' || object === null) return 'no object';
  if (id !== undefined && object.id !== id) return `id ${object.id} where ${id} was asked for`;
  for (const [field, value] of Object.entries(fields))
    if (object[field] !== value)
      return `${field} is ${JSON.stringify(object[field])}, it should be ${JSON.stringify(value)}`;
  if (kind !== undefined && orgId !== undefined && !owners.claim(kind, object.id, orgId))
    return `${kind} ${object.id} belongs to another organisation`;
  return undefined;
}

function checkCreated(answer: CheckedAnswer, args: CheckArgs, owners: Owners): string | undefined {
  const { id } = answer.json as Row;
  if (!Number.isInteger(id) || id < 1) return `created without an id (${id})`;
  if (typeof answer.headers['read-after'] !== 'string') return 'a write without the read-after header';
  return checkObject(answer, args, owners);
}

function checkText(answer: CheckedAnswer, args: CheckArgs): string | undefined {
  return answer.bytes.includes(args.text ?? '') ? undefined : `the answer lacks ${JSON.stringify(args.text)}`;
}

function checkEmpty(answer: CheckedAnswer): string | undefined {
  return answer.bytes.length === 0 ? undefined : `${answer.bytes.length} bytes where none were promised`;
}

/** Whether the value is a number of things. */
export const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;

/** Each figure that a module declares is there, and may be one. */
export function createSummaryCheck(figures: Readonly<Record<string, (value: unknown) => boolean>>): Check {
  return ({ json }) => {
    const summary = json as Record<string, unknown>;
    for (const [name, mayBe] of Object.entries(figures))
      if (!mayBe(summary[name])) return `${name} is ${summary[name]}`;
    return typeof summary === 'object' && summary !== null ? undefined : 'no summary';
  };
}

/** For every module; a module adds its own (ModuleBench.checks). */
export const GENERAL_CHECKS: Checks = {
  page: checkPage,
  object: checkObject,
  created: checkCreated,
  text: checkText,
  empty: checkEmpty,
};

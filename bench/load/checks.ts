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
  readonly domain?: string;
  readonly search?: string;
  readonly orgId?: number;
  /** What kind of row it is (`employees`): a row seen by two organisations is a leak. */
  readonly kind?: string;
  readonly rows?: number;
  readonly text?: string;
}

export interface CheckCall {
  readonly name: CheckName;
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

type Check = (answer: CheckedAnswer, args: CheckArgs, owners: Owners) => string | undefined;
export type CheckName = keyof typeof CHECKS;

export function runCheck(call: CheckCall | undefined, answer: CheckedAnswer, owners: Owners): string | undefined {
  if (call === undefined) return undefined;
  const check = CHECKS[call.name];
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

const CHECKS = {
  page: checkPage,
  employees: checkEmployees,
  object: checkObject,
  created: checkCreated,
  me: checkMe,
  summary: checkSummary,
  mood: checkMood,
  operations: checkOperations,
  text: checkText,
  'answers-csv': checkAnswersCsv,
  import: checkImport,
  empty: checkEmpty,
} as const satisfies Record<string, Check>;

interface Row {
  readonly id: number;
  readonly name?: string;
  readonly email?: string;
}

function checkPage(answer: CheckedAnswer, args: CheckArgs, owners: Owners): string | undefined {
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

function checkEmployees(answer: CheckedAnswer, args: CheckArgs, owners: Owners): string | undefined {
  const { items } = answer.json as { items: Row[] };
  const search = args.search?.toLowerCase();
  for (const { email = '', name = '' } of items) {
    if (args.domain !== undefined && !email.endsWith(`@${args.domain}`)) return `${email} is of another organisation`;
    if (search !== undefined && !email.toLowerCase().startsWith(search) && !name.toLowerCase().startsWith(search))
      return `${name} <${email}> does not begin with ${search}`;
  }
  return checkPage(answer, args, owners);
}

function checkObject(answer: CheckedAnswer, args: CheckArgs, owners: Owners): string | undefined {
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

function checkMe(answer: CheckedAnswer, args: CheckArgs): string | undefined {
  const { user, organisation } = answer.json as { user: Row; organisation: Row };
  const email = args.fields?.['email'];
  if (email !== undefined && user.email !== email) return `${user.email} where ${email} asked`;
  if (args.orgId !== undefined && organisation.id !== args.orgId)
    return `organisation ${organisation.id} where ${args.orgId} asked`;
  return undefined;
}

function checkSummary(answer: CheckedAnswer): string | undefined {
  const summary = answer.json as Record<string, number | null>;
  for (const field of ['employees', 'teams', 'campaignsSending', 'openConversations', 'answersToday'])
    if (!Number.isInteger(summary[field]) || (summary[field] as number) < 0) return `${field} is ${summary[field]}`;
  for (const field of ['moodToday', 'moodWeekAgo']) if (!isMood(summary[field])) return `${field} is ${summary[field]}`;
  return undefined;
}

interface MoodDay {
  readonly day: string;
  readonly mood: number;
  readonly answers: number;
}

function checkMood(answer: CheckedAnswer, args: CheckArgs): string | undefined {
  const mood = answer.json as {
    from: string;
    to: string;
    groupMin: number;
    organisation: MoodDay[];
    teams: { days: MoodDay[] }[];
  };
  for (const [field, value] of Object.entries(args.fields ?? {}))
    if ((mood as unknown as Record<string, unknown>)[field] !== value) return `${field} is not ${value}`;
  for (const days of [mood.organisation, ...mood.teams.map((team) => team.days)]) {
    let last = '';
    for (const { day, mood: value, answers } of days) {
      if (day <= last || day < mood.from || day > mood.to) return `day ${day} does not belong after ${last}`;
      if (!isMood(value) || value === null) return `a mood of ${value}`;
      if (answers < mood.groupMin) return `the mood of ${answers} people is shown; ${mood.groupMin} would hide them`;
      last = day;
    }
  }
  return undefined;
}

function checkOperations(answer: CheckedAnswer): string | undefined {
  const { processes, database } = answer.json as { processes: unknown[]; database: { connections: number } };
  if (processes.length === 0) return 'no process reports';
  return database.connections > 0 ? undefined : 'no connections to the database';
}

function checkText(answer: CheckedAnswer, args: CheckArgs): string | undefined {
  return answer.bytes.includes(args.text ?? '') ? undefined : `the answer lacks ${JSON.stringify(args.text)}`;
}

const CSV_HEADER = '\uFEFFat,campaign,team,employee,email,question,answer,sentiment\r\n';
const CSV_FIELDS = 8;
const [QUOTE, COMMA, CR, LF] = [0x22, 0x2c, 0x0d, 0x0a];

/** Every record has all its fields and ends, and the file ends with a record: what broke off in the middle is seen. */
function checkAnswersCsv(answer: CheckedAnswer, args: CheckArgs): string | undefined {
  const { bytes } = answer;
  const start = Buffer.byteLength(CSV_HEADER);
  if (bytes.toString('utf8', 0, start) !== CSV_HEADER) return 'another header than promised';
  let quoted = false;
  let fields = 1;
  let rows = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) continue;
    else if (byte === COMMA) fields++;
    else if (byte === LF) {
      rows++;
      if (fields !== CSV_FIELDS || bytes[at - 1] !== CR) return `row ${rows} has ${fields} fields, not ${CSV_FIELDS}`;
      fields = 1;
    }
  }
  if (quoted || fields !== 1 || bytes.at(-1) !== LF) return `the file breaks off after row ${rows}`;
  if (args.rows !== undefined && rows < args.rows) return `${rows} rows where there are ${args.rows}`;
  return undefined;
}

function checkImport(answer: CheckedAnswer, args: CheckArgs, owners: Owners): string | undefined {
  const { status, rowsRead, rowsAdded, rowsUpdated, rowsUnchanged, rowsRejected } = answer.json as Record<
    string,
    number | string
  >;
  if (status !== 'done') return `the import is ${status}`;
  if (rowsRead !== args.rows) return `${rowsRead} rows read of ${args.rows}`;
  if (rowsRejected !== 0) return `${rowsRejected} good rows rejected`;
  if (Number(rowsAdded) + Number(rowsUpdated) + Number(rowsUnchanged) !== args.rows)
    return `${rowsAdded} added, ${rowsUpdated} updated, ${rowsUnchanged} unchanged: not ${args.rows}`;
  return checkObject(answer, args, owners);
}

function checkEmpty(answer: CheckedAnswer): string | undefined {
  return answer.bytes.length === 0 ? undefined : `${answer.bytes.length} bytes where none were promised`;
}

const isMood = (value: number | null | undefined) =>
  value === null || (typeof value === 'number' && value >= -1 && value <= 1);

/**
 * The one place that reads days, times and time zones that somebody sent: strict ISO 8601, real, and never in the zone
 * that this process happens to run in. `Date.parse` takes `12/01/2027`, moves 30 February to March, and reads a time
 * without an offset where the server stands.
 */
import { AppError } from './errors.ts';
import { TIME_ZONE_CHARS_MAX } from './limits.ts';

/** How a wall time is read on the two days of the year on which clocks change: RFC 5545's rule, and Temporal's. */
export const CLOCK_CHANGE_RULE =
  'A wall time that a clock change skips is moved forward by as much as the clock; one that comes twice is the first of the two.';

/**
 * The instant that `text` means. With an offset (`Z`, `+01:00`) that is the instant itself, whatever `timeZone` says;
 * without one it is wall time in `timeZone`, and refused when there is none. Throws `invalid`.
 */
export function toInstant(text: string, timeZone: string | undefined): Date {
  const [, wallTime, offset] = INSTANT.exec(text) ?? [];
  const local = wallTime === undefined ? undefined : realTime(wallTime);
  if (local === undefined) throw notADate(text, '2027-01-31T09:00:00Z');
  if (offset !== undefined) {
    if (!isRealOffset(offset)) throw notADate(text, '2027-01-31T09:00:00+01:00');
    return new Date(Temporal.Instant.from(text).epochMilliseconds);
  }
  if (timeZone === undefined)
    throw new AppError(
      'invalid',
      `${text} does not say in which time zone it is. Add an offset, as in ${text}Z, or send a \`timeZone\` too.`,
    );
  const zoned = local.toZonedDateTime(toTimeZone(timeZone), { disambiguation: 'compatible' });
  return new Date(zoned.epochMilliseconds);
}

/** The beginning of a day like 2027-01-31: midnight, or what a clock change makes of it. Throws `invalid`. */
export function startOfDay(text: string, timeZone = 'UTC'): Date {
  return beginningOf(toDay(text), timeZone);
}

/** The beginning of the day after. Throws `invalid`. */
export function endOfDay(text: string, timeZone = 'UTC'): Date {
  return beginningOf(toDay(text).add({ days: 1 }), timeZone);
}

/** Throws `invalid` for a range of days that ends before it begins: an empty answer would look like one without data. */
export function refuseBackwards({ from, to }: { from?: string | undefined; to?: string | undefined }): void {
  if (from !== undefined && to !== undefined && startOfDay(from) > startOfDay(to))
    throw new AppError('invalid', '`from` must not be later than `to`.');
}

/** The day in UTC, as YYYY-MM-DD. */
export function dayOf(instant: Date): string {
  return instant.toISOString().slice(0, 10);
}

/** The day that people in `timeZone` have at that instant, as YYYY-MM-DD. */
export function dayIn(timeZone: string, instant: Date): string {
  return wallTimeIn(timeZone, instant).toPlainDate().toString();
}

/** The date and time on the clocks of `timeZone`. */
export function wallTimeIn(timeZone: string, instant: Date): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(timeZone);
}

/** The name of a time zone as the IANA database spells it. Throws `invalid` for any other. */
export function toTimeZone(name: string): string {
  const key = name.toLowerCase();
  const zone = known.get(key) ?? asIntlSpells(name);
  if (zone === undefined)
    throw new AppError('invalid', `${JSON.stringify(name)} is not a known time zone. Use a name like Europe/Berlin.`);
  if (zone.toLowerCase() === key) known.set(zone.toLowerCase(), zone);
  return zone;
}

/**
 * As many as there are zones: what other names mean, such as Asia/Kathmandu, is asked each time. Intl answers only together
 * with a whole formatter, which takes 0.1 ms: with one for each day of a filter that was a third of the api's time under 440
 * exports by HEAD a second (profile of 27 November 2026).
 */
const known = new Map<string, string>();

function asIntlSpells(name: string): string | undefined {
  // Intl also takes offsets like +01:00. They know nothing of daylight saving time, so they are not a zone.
  if (name.length > TIME_ZONE_CHARS_MAX || !/^[A-Za-z]/.test(name) || ABBREVIATION.test(name)) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined; // no zone has this name
  }
}

/**
 * Of three letters, IANA has a few. Intl knows others, from a list of 1996: BST is Bangladesh there, AST is Alaska, and
 * people in London and Halifax would not hear of it.
 */
const ABBREVIATION = /^(?!(?:CET|EET|EST|GMT|HST|MET|MST|PRC|ROC|ROK|UCT|UTC|WET)$)[A-Z]{3}$|^SystemV\//i;

/** Years from 1900 to 2999: PostgreSQL and JavaScript write them alike, and nobody means another one. */
const YEAR = '(?:19|2\\d)\\d\\d';
const DAY = new RegExp(`^${YEAR}-\\d\\d-\\d\\d$`);
const INSTANT = new RegExp(`^(${YEAR}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d{1,9})?)?)(Z|[+-]\\d\\d:\\d\\d)?$`);

/** Undefined for the 30th of February, for 24:00 and for a 61st second. */
function realTime(text: string): Temporal.PlainDateTime | undefined {
  if (/T\d\d:\d\d:60/.test(text)) return undefined; // Temporal makes a leap second the one before it
  try {
    return Temporal.PlainDateTime.from(text);
  } catch {
    return undefined;
  }
}

function toDay(text: string): Temporal.PlainDate {
  const midnight = DAY.test(text) ? realTime(`${text}T00:00`) : undefined;
  if (midnight === undefined) throw notADate(text, '2027-01-31');
  return midnight.toPlainDate();
}

function beginningOf(day: Temporal.PlainDate, timeZone: string): Date {
  return new Date(day.toZonedDateTime(toTimeZone(timeZone)).epochMilliseconds);
}

/** No clock on Earth is further from UTC than 12 hours behind and 14 ahead. */
function isRealOffset(offset: string): boolean {
  if (offset === 'Z') return true;
  const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number);
  return minutes < 60 && hours * 60 + minutes <= (offset.startsWith('-') ? 12 : 14) * 60;
}

function notADate(text: string, example: string): AppError {
  return new AppError('invalid', `${JSON.stringify(text)} is not a valid date. Write it like ${example}.`);
}

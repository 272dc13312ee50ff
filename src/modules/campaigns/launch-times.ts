/** When a scheduled campaign is launched: once, or at every slot of a cron expression. */
import { Cron } from 'croner';
import { toInstant, toTimeZone, wallTimeIn } from '../../dates.ts';
import { AppError } from '../../errors.ts';
import { SLOT_DISTANCE_MS_MIN, SLOTS_CHECKED_MAX, SLOTS_CHECKED_MS, SLOTS_PREVIEWED } from './limits.ts';

export interface Schedule {
  /** ISO 8601; once. Without an offset it is wall time in `timeZone`. */
  readonly at?: string | undefined;
  /** Five fields; every slot launches a copy. */
  readonly cron?: string | undefined;
  readonly timeZone?: string | undefined;
}

export interface LaunchTimes {
  readonly cron: string | null;
  readonly timeZone: string;
  /** The next launches, SLOTS_PREVIEWED of them at most; the first one is always there. */
  readonly next: readonly [Date, ...Date[]];
}

/** What a schedule means from `now` on. Throws `invalid`, in words, for one that nobody can have meant. */
export function launchTimesOf({ at, cron, timeZone: zone }: Schedule, now = new Date()): LaunchTimes {
  const timeZone = zone === undefined ? undefined : toTimeZone(zone);
  if ((at === undefined) === (cron === undefined))
    throw new AppError('invalid', 'Send either `at` (to launch once) or `cron` (to launch repeatedly).');
  return cron === undefined ? onceAt(at as string, timeZone, now) : repeatedly(cron, timeZone ?? 'UTC', now);
}

/** The next slot after `after`, or null. Throws `invalid` for an expression that is not valid. */
export function nextSlot(cron: string, timeZone: string, after: Date): Date | null {
  return parse(cron, timeZone).nextRun(after);
}

function onceAt(at: string, timeZone: string | undefined, now: Date): LaunchTimes {
  const launchAt = toInstant(at, timeZone);
  if (launchAt < now) throw new AppError('invalid', '`at` is in the past. Launch the campaign instead.');
  return { cron: null, timeZone: timeZone ?? 'UTC', next: [launchAt] };
}

function repeatedly(cron: string, timeZone: string, now: Date): LaunchTimes {
  const slots = parse(cron, timeZone);
  const [first, ...later] = slots.nextRuns(SLOTS_PREVIEWED, now);
  if (first === undefined) throw new AppError('invalid', 'This cron expression never matches a time.');
  refuseCrowdedSlots(cron, slots, timeZone, now);
  return { cron, timeZone, next: [first, ...later] };
}

/** From the full hour on, so that the number of launches does not depend on the minute at which somebody asks. */
function refuseCrowdedSlots(cron: string, slots: Cron, timeZone: string, now: Date): void {
  const hour = wallTimeIn(timeZone, now).round({ smallestUnit: 'hour', roundingMode: 'floor' }).epochMilliseconds;
  let last = slots.nextRun(new Date(hour - 1));
  for (let checked = 1; checked < SLOTS_CHECKED_MAX && last !== null; checked++) {
    const slot = slots.nextRun(last);
    if (slot === null || slot.getTime() > hour + SLOTS_CHECKED_MS) return;
    if (slot.getTime() - last.getTime() < SLOT_DISTANCE_MS_MIN)
      throw new AppError('invalid', crowded(cron, slots, timeZone, last));
    last = slot;
  }
}

function crowded(cron: string, slots: Cron, timeZone: string, first: Date): string {
  const burst = [first];
  for (let slot = slots.nextRun(first); slot !== null; slot = slots.nextRun(slot)) {
    if (slot.getTime() - first.getTime() >= SLOT_DISTANCE_MS_MIN) break;
    burst.push(slot);
  }
  const begin = wallTimeIn(timeZone, first);
  const end = wallTimeIn(timeZone, burst.at(-1) as Date);
  const day = begin.toLocaleString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const meant = [begin.minute, ...cron.trim().split(/\s+/).slice(1)].join(' ');
  return (
    `This is ${burst.length} launches between ${clock(begin)} and ${clock(end)} on ${day} (${timeZone}), ` +
    `each of them a mail to everybody. Leave at least ${SLOT_DISTANCE_MS_MIN / 60_000} minutes between two launches. ` +
    `Did you mean "${meant}"?`
  );
}

function clock({ hour, minute }: Temporal.ZonedDateTime): string {
  return `${hour}:${String(minute).padStart(2, '0')}`;
}

function parse(cron: string, timeZone: string): Cron {
  const fields = cron.trim().split(/\s+/);
  if (fields.length > 5)
    throw notValid(`it has ${fields.length} fields, and launches can be planned to the minute, not to the second`);
  // It would stand for the minute or day at which the expression is read, which is another one each time.
  if (cron.includes('?')) throw notValid('"?" has no fixed meaning');
  try {
    return new Cron(cron, { timezone: timeZone, paused: true, mode: '5-part' });
  } catch (error) {
    throw notValid((error as Error).message.replace(/^\w+: |\.$/g, ''));
  }
}

function notValid(why: string): AppError {
  return new AppError(
    'invalid',
    `The cron expression is not valid: ${why}. It needs five fields, for example "0 9 * * 1" for Mondays at 9.`,
  );
}

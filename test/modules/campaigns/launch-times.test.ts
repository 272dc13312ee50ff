import { Cron } from 'croner';
import { afterEach, expect, test, vi } from 'vitest';
import { launchTimesOf, nextSlot } from '../../../src/modules/campaigns/launch-times.ts';
import { SLOTS_CHECKED_MAX, SLOTS_PREVIEWED } from '../../../src/modules/campaigns/limits.ts';

afterEach(() => void vi.unstubAllEnvs());

/** A Thursday, in the middle of an hour. */
const NOW = new Date('2026-11-26T09:30:30Z');
const timesOf = (schedule: Parameters<typeof launchTimesOf>[0], now = NOW) =>
  launchTimesOf(schedule, now).next.map((launch) => launch.toISOString());

test.each([
  [
    '* 9 * * 1',
    'Europe/Berlin',
    'This is 60 launches between 9:00 and 9:59 on Monday, 30 November 2026 (Europe/Berlin)',
  ],
  ['* 9 * * 4', 'UTC', 'This is 60 launches between 9:00 and 9:59 on Thursday, 26 November 2026'],
  ['* * * * *', 'UTC', 'This is 60 launches between 9:00 and 9:59'],
  ['* */4 * * *', 'UTC', 'This is 60 launches between 12:00 and 12:59'],
  ['*/30 9 * * *', 'UTC', 'This is 2 launches between 9:00 and 9:30'],
  ['0,59 8 1 * *', 'UTC', 'This is 2 launches between 8:00 and 8:59 on Tuesday, 1 December 2026'],
  // The next two are half a year apart; the two after them are not.
  ['0,1 12 1 6 *', 'UTC', 'This is 2 launches between 12:00 and 12:01 on Tuesday, 1 June 2027'],
  ['59,0 9,10 * * *', 'UTC', 'This is 2 launches between 9:00 and 9:59'],
])('%s in %s is refused with the number of its launches', (cron, timeZone, words) => {
  expect(() => launchTimesOf({ cron, timeZone }, NOW)).toThrow(words);
});

test('the number of launches is the same at every minute of the hour', () => {
  for (const minute of [0, 1, 31, 59])
    expect(() => launchTimesOf({ cron: '* 9 * * *' }, new Date(Date.UTC(2026, 10, 26, 9, minute)))).toThrow(
      'This is 60 launches between 9:00 and 9:59',
    );
});

test('what was meant is offered', () => {
  expect(() => launchTimesOf({ cron: '* 9 * * 1' }, NOW)).toThrow('Did you mean "0 9 * * 1"?');
});

test.each(['0 * * * *', '30 9-17 * * 1-5', '0 9 * * 1', '0 9 29 2 *', '0 9 L * *', '0 9 * * 1#1', '15 0,23 * * *'])(
  '%s has an hour between its launches, also where clocks change',
  (cron) => {
    for (const timeZone of ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata'])
      expect(timesOf({ cron, timeZone })).toHaveLength(SLOTS_PREVIEWED);
  },
);

test('of the dearest schedule not the whole year is checked, for that would hold up everybody', () => {
  const nextRun = vi.spyOn(Cron.prototype, 'nextRun');
  launchTimesOf({ cron: '0 * * * *', timeZone: 'America/New_York' }, NOW);
  expect(nextRun.mock.calls.length).toBeLessThanOrEqual(SLOTS_CHECKED_MAX);
  nextRun.mockRestore();
});

test('the next three launches are those of the time zone', () => {
  expect(timesOf({ cron: '0 9 * * *', timeZone: 'America/New_York' })).toEqual([
    '2026-11-26T14:00:00.000Z',
    '2026-11-27T14:00:00.000Z',
    '2026-11-28T14:00:00.000Z',
  ]);
  expect(timesOf({ at: '2027-01-31T09:00:00', timeZone: 'America/New_York' })).toEqual(['2027-01-31T14:00:00.000Z']);
});

test.each([
  ['0 0 30 2 *', 'never matches a time'],
  ['0 0 31 4,6,9,11 *', 'never matches a time'],
  ['* * * * * *', 'it has 6 fields'],
  ['0 0 9 * * 1', 'it has 6 fields'],
  ['0 0 9 * * 1 2027', 'it has 7 fields'],
  ['? 9 * * 1', '"?" has no fixed meaning'],
  ['9 * * 1', 'is not valid'],
  ['every monday', 'is not valid'],
  ['61 * * * *', 'is not valid'],
  ['0 24 * * *', 'is not valid'],
  ['@reboot', 'is not valid'],
  ['', 'is not valid'],
])('the cron expression %j is refused in words', (cron, words) => {
  expect(() => launchTimesOf({ cron }, NOW)).toThrow(words);
});

test('a time that has passed is refused', () => {
  expect(() => launchTimesOf({ at: '2026-11-26T09:30:29Z' }, NOW)).toThrow('in the past');
  expect(() => launchTimesOf({ at: '2026-11-26T05:00:00', timeZone: 'Asia/Tokyo' }, NOW)).toThrow('in the past');
});

test.each(['UTC', 'America/New_York', 'Asia/Kolkata'])(
  'a process under TZ=%s launches at the same times',
  (processZone) => {
    vi.stubEnv('TZ', processZone);
    expect(timesOf({ cron: '0 9 * * 1', timeZone: 'Europe/Berlin' })[0]).toBe('2026-11-30T08:00:00.000Z');
    expect(timesOf({ cron: '30 2 28 3 *', timeZone: 'Europe/Berlin' })[0]).toBe('2027-03-28T01:00:00.000Z');
    expect(timesOf({ cron: '30 2 14 3 *' })[0]).toBe('2027-03-14T02:30:00.000Z'); // skipped by New York's clocks, not by UTC
    expect(timesOf({ cron: '30 1 1 11 *' }, new Date('2027-10-01T00:00:00Z'))[0]).toBe('2027-11-01T01:30:00.000Z');
    expect(timesOf({ at: '2027-03-14T02:30:00', timeZone: 'UTC' })).toEqual(['2027-03-14T02:30:00.000Z']);
    expect(() => launchTimesOf({ cron: '* 9 * * 1', timeZone: 'Europe/Berlin' }, NOW)).toThrow(
      'This is 60 launches between 9:00 and 9:59 on Monday, 30 November 2026 (Europe/Berlin)',
    );
  },
);

test.each([
  // Summer begins: 02:30 does not exist on 28 March 2027, so it comes when the clock jumps to 03:00.
  ['30 2 * * *', '2027-03-27T12:00:00Z', '2027-03-28T01:00:00.000Z'],
  ['30 2 * * *', '2027-03-28T12:00:00Z', '2027-03-29T00:30:00.000Z'],
  // Nine o'clock stays nine o'clock: eight in UTC in winter, seven in summer.
  ['0 9 * * *', '2027-03-27T07:00:00Z', '2027-03-27T08:00:00.000Z'],
  ['0 9 * * *', '2027-03-27T12:00:00Z', '2027-03-28T07:00:00.000Z'],
  ['0 9 * * *', '2026-10-24T12:00:00Z', '2026-10-25T08:00:00.000Z'],
])('in Berlin, %s after %s comes at %s', (cron, after, expected) => {
  expect(nextSlot(cron, 'Europe/Berlin', new Date(after))?.toISOString()).toBe(expected);
});

test('in the night when summer ends, 02:30 comes twice on the clock and once in the schedule', () => {
  const slots = [];
  let after = new Date('2026-10-24T12:00:00Z');
  for (let night = 0; night < 2; night++) {
    after = nextSlot('30 2 * * *', 'Europe/Berlin', after) as Date;
    slots.push(after.toISOString().slice(0, 10));
  }
  expect(slots).toEqual(['2026-10-25', '2026-10-26']);
});

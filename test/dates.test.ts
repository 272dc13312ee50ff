import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { dayIn, endOfDay, startOfDay, toInstant, toTimeZone } from '../src/dates.ts';

afterEach(() => void vi.unstubAllEnvs());

const read = (text: string, timeZone?: string) => toInstant(text, timeZone).toISOString();

describe.each(['UTC', 'America/New_York', 'Asia/Kolkata'])('wherever the process stands (TZ=%s)', (processZone) => {
  test.each([
    ['2027-01-31T09:00:00Z', undefined, '2027-01-31T09:00:00.000Z'],
    ['2027-01-31T09:00Z', undefined, '2027-01-31T09:00:00.000Z'],
    ['2027-01-31T09:00:00.25+01:00', undefined, '2027-01-31T08:00:00.250Z'],
    ['2027-01-31T09:00:00', 'America/New_York', '2027-01-31T14:00:00.000Z'],
    ['2027-01-31T09:00', 'Asia/Kathmandu', '2027-01-31T03:15:00.000Z'],
    ['2028-02-29T23:59:59', 'UTC', '2028-02-29T23:59:59.000Z'],
    // With an offset it is an instant: the zone is only for showing it.
    ['2027-01-31T09:00:00+01:00', 'America/New_York', '2027-01-31T08:00:00.000Z'],
    // Skipped by the clock change: moved forward by as much as the clock.
    ['2027-03-28T02:30:00', 'Europe/Berlin', '2027-03-28T01:30:00.000Z'],
    ['2027-03-14T02:30:00', 'America/New_York', '2027-03-14T07:30:00.000Z'],
    // Twice on the clock: the first of the two.
    ['2026-10-25T02:30:00', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
    ['2026-11-01T01:30:00', 'America/New_York', '2026-11-01T05:30:00.000Z'],
  ])('%s in %s is %s', (text, timeZone, expected) => {
    vi.stubEnv('TZ', processZone);
    expect(new Date(2027, 0, 31, 9).toLocaleString('en', { timeZoneName: 'longOffset' })).toContain(
      { UTC: 'GMT', 'America/New_York': 'GMT-05:00', 'Asia/Kolkata': 'GMT+05:30' }[processZone] as string,
    );
    expect(read(text, timeZone)).toBe(expected);
  });
});

test.each([
  '2027-02-30T09:00:00Z',
  '2027-02-29T09:00:00Z',
  '2027-04-31T09:00:00Z',
  '2027-13-01T09:00:00Z',
  '2027-00-10T09:00:00Z',
  '2027-01-00T09:00:00Z',
  '2027-01-31T24:00:00Z',
  '2027-01-31T25:00:00Z',
  '2027-01-31T09:60:00Z',
  '2027-01-31T09:00:60Z',
  '2027-01-31T09:00:61Z',
  '2027-01-31T09Z',
  '2027-01-31 09:00',
  '2027-01-31 09:00:00Z',
  '2027-01-31t09:00:00z',
  '2027-01-31',
  '2027-01',
  '2027',
  '12/01/2027',
  '31.01.2027 09:00',
  'Sun, 31 Jan 2027 09:00:00 GMT',
  '1801386000000',
  '2027-W04-7T09:00:00Z',
  '2027-031T09:00:00Z',
  '20270131T090000Z',
  '+275760-09-13T00:00:00Z',
  '275760-09-13T00:00:00Z',
  '-000001-01-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '1899-12-31T23:59:59Z',
  '3000-01-01T00:00:00Z',
  '2027-01-31T09:00:00+15:00',
  '2027-01-31T09:00:00+23:59',
  '2027-01-31T09:00:00-12:30',
  '2027-01-31T09:00:00+01:60',
  '2027-01-31T09:00:00+0100',
  '2027-01-31T09:00:00+01',
  '2027-01-31T09:00:00Z[Europe/Berlin]',
  '2027-01-31T09:00:00[Europe/Berlin]',
  '２０２７-01-31T09:00:00Z',
  ' 2027-01-31T09:00:00Z',
  '2027-01-31T09:00:00Z\n',
  'tomorrow',
  '',
])('%j is not a valid date, with and without a time zone beside it', (text) => {
  for (const timeZone of [undefined, 'Europe/Berlin'])
    expect(() => toInstant(text, timeZone)).toThrow(`${JSON.stringify(text)} is not a valid date.`);
});

test('a time without an offset needs a time zone', () => {
  expect(() => toInstant('2027-01-31T09:00:00', undefined)).toThrow(/does not say in which time zone it is/);
});

test.each([
  '2027-02-30',
  '2027-1-31',
  '12/01/2027',
  '2027-W04-7',
  '+275760-09-13',
  '3000-01-01',
  '2027-01-31T00:00:00Z',
  '',
])('the day %j is not a valid date', (text) => {
  expect(() => startOfDay(text)).toThrow(`${JSON.stringify(text)} is not a valid date.`);
});

test('a day begins at midnight UTC, wherever the process stands', () => {
  vi.stubEnv('TZ', 'America/New_York');
  expect(startOfDay('2028-02-29').toISOString()).toBe('2028-02-29T00:00:00.000Z');
});

test.each([
  ['2027-01-31', 'UTC', '2027-01-31T00:00:00.000Z', '2027-02-01T00:00:00.000Z'],
  ['2027-01-31', 'Pacific/Auckland', '2027-01-30T11:00:00.000Z', '2027-01-31T11:00:00.000Z'],
  ['2027-03-28', 'Europe/Berlin', '2027-03-27T23:00:00.000Z', '2027-03-28T22:00:00.000Z'], // 23 hours
  ['2027-04-30', 'Africa/Cairo', '2027-04-29T22:00:00.000Z', '2027-04-30T21:00:00.000Z'], // begins at 01:00
  ['2999-12-31', 'UTC', '2999-12-31T00:00:00.000Z', '3000-01-01T00:00:00.000Z'],
])('%s in %s is from %s until %s', (day, timeZone, from, until) => {
  vi.stubEnv('TZ', 'America/New_York');
  expect([startOfDay(day, timeZone), endOfDay(day, timeZone)].map((at) => at.toISOString())).toEqual([from, until]);
});

test.each([
  ['Europe/Berlin', 'Europe/Berlin'],
  ['europe/berlin', 'Europe/Berlin'],
  ['UTC', 'UTC'],
  ['GMT', 'UTC'],
  ['CET', 'Europe/Brussels'],
  ['Asia/Kathmandu', 'Asia/Katmandu'],
])('the time zone %s is %s', (name, expected) => {
  expect(toTimeZone(name)).toBe(expected);
});

test.each([
  'Mars/Olympus',
  '+01:00',
  '-05',
  'GMT+1',
  'UTC+1',
  'Z',
  '',
  ' Europe/Berlin',
  'x'.repeat(65),
  '[Europe/Berlin]',
  // Abbreviations, of which Intl knows some by other names than most people: Bangladesh, Alaska, Auckland.
  ...['BST', 'AST', 'nst', 'PST', 'IST', 'CST', 'CEST', 'MEZ', 'SystemV/PST8PDT'],
])('%j is not a known time zone', (name) => {
  expect(() => toTimeZone(name)).toThrow('is not a known time zone');
  expect(() => toInstant('2027-01-31T09:00', name)).toThrow('is not a known time zone');
});

test('Intl, which takes long, is asked once for the name of a zone', () => {
  const made = vi.spyOn(Intl, 'DateTimeFormat');
  onTestFinished(() => made.mockRestore());
  for (const zone of ['Pacific/Chatham', 'pacific/chatham', 'PACIFIC/Chatham']) endOfDay('2027-01-31', zone);
  expect(made.mock.calls.length).toBeLessThanOrEqual(1);
});

test('the day of an instant is that of the people there', () => {
  const instant = new Date('2027-01-31T20:00:00Z');
  expect(dayIn('Asia/Tokyo', instant)).toBe('2027-02-01');
  expect(dayIn('America/New_York', instant)).toBe('2027-01-31');
});

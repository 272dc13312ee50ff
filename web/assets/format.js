// Times, numbers and sizes in words, in the reader's own locale and time zone.

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const integer = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });

const { timeZone } = dateTime.resolvedOptions();
/** The reader's time zone, in which times are shown, by its IANA name. A browser that finds none shows UTC. */
export const HERE = timeZone === 'Etc/Unknown' ? 'UTC' : timeZone;

/** @type {[below: number, unit: Intl.RelativeTimeFormatUnit, seconds: number][]} */
const AGO = [
  [60, 'second', 1],
  [3_600, 'minute', 60],
  [86_400, 'hour', 3_600],
  [7 * 86_400, 'day', 86_400],
];

export const formatTime = (iso) => (iso ? dateTime.format(new Date(iso)) : '–');
export const formatClock = (iso) => clock.format(new Date(iso));
export const formatDay = (day) => shortDay.format(new Date(`${day}T00:00:00Z`));
export const formatNumber = (n) => integer.format(n ?? 0);
export const formatPercent = (share) => `${integer.format(share * 100)} %`;
export const count = (n, one, many = `${one}s`) => `${formatNumber(n)} ${n === 1 ? one : many}`;

export function formatAgo(iso) {
  const seconds = (Date.now() - Date.parse(iso)) / 1_000;
  const step = AGO.find(([below]) => Math.abs(seconds) < below);
  return step ? relative.format(-Math.round(seconds / step[2]), step[1]) : formatTime(iso);
}

export function formatBytes(bytes) {
  if (bytes === null || bytes === undefined) return '–';
  const step = Math.min(3, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  const value = bytes / 1024 ** step;
  const digits = step > 0 && value < 10 ? 1 : 0;
  return `${value.toLocaleString(undefined, { maximumFractionDigits: digits })} ${['B', 'KB', 'MB', 'GB'][step]}`;
}

export function formatMs(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms >= 1_000) return `${(ms / 1_000).toLocaleString(undefined, { maximumFractionDigits: 1 })} s`;
  return `${ms.toLocaleString(undefined, { maximumFractionDigits: ms < 10 ? 1 : 0 })} ms`;
}

/** Where a day begins that is counted in UTC: 'midnight UTC (16:00 here)'. */
export function midnightUtc() {
  const midnight = new Date(`${dayAgo(0)}T00:00:00Z`);
  return midnight.getTimezoneOffset() === 0 ? 'midnight UTC' : `midnight UTC (${clock.format(midnight)} here)`;
}

/** The UTC day `daysAgo` days ago as YYYY-MM-DD, as the server counts days. */
export const dayAgo = (daysAgo) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);

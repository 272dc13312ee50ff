/** Formats numbers for people. */
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
const TIME_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** In powers of 1024, as PostgreSQL and docker count: `1.5 MB`. */
export function showBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), BYTE_UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[power]}`;
}

/** In the largest unit that fits: `3 h`. */
export function showMs(ms: number): string {
  const [unit, size] = TIME_UNITS.find((candidate) => ms >= candidate[1]) ?? ['ms', 1];
  return `${Math.round(ms / size)} ${unit}`;
}

export function showCount(count: number): string {
  return Math.round(count).toLocaleString('en');
}

export function showShare(share: number): string {
  return `${(share * 100).toFixed(share > 0.99 && share < 1 ? 2 : 0)} %`;
}

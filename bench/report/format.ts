/** Figures in words, the same in the terminal and on the page. */

const MB = 1024 * 1024;

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / MB)} MB`;
}

export function milliseconds(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 1_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(1)} ms`;
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** At most three digits that mean something. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

/** A figure by its name, whose end is its unit: `p99Ms`, `peakBytes`, `heldSeconds`. */
export function figure(name: string, value: number | string | boolean | null): string {
  if (value === null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  if (/Ms$/.test(name)) return milliseconds(value);
  if (/Bytes$/.test(name)) return value >= MB ? megabytes(value) : `${number(value / 1024)} KB`;
  if (/Seconds$/.test(name) && !/per/i.test(name)) return `${number(value)} s`;
  if (/PerSecond$/.test(name)) return `${number(value)}/s`;
  if (/Share$|Elu$/.test(name)) return `${number(value * 100)} %`;
  return number(value);
}

/** `p99Ms` is "p99", `lostAnswers` is "lost answers": the unit follows the value. */
export function figureName(name: string): string {
  const words = name.replace(/(?<=.)(?:Ms|Bytes|(?<!Per)Seconds?|PerSecond|Share)$/, '');
  return words.replace(/(?<=[a-z0-9])([A-Z])/g, (_, letter: string) => ` ${letter.toLowerCase()}`);
}

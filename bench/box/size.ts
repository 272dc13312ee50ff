/** Sizes as docker writes them: `512m`, `1g`, `65536`, in powers of 1024. */
const UNITS: Record<string, number> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** @returns bytes, or undefined for anything else */
export function parseSize(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([bkmg]?)b?$/i.exec(text.trim()) ?? [];
  const factor = UNITS[(unit ?? '').toLowerCase()];
  return number === undefined || factor === undefined ? undefined : Math.floor(Number(number) * factor);
}

export function showSize(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}

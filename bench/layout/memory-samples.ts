import type { Box } from '../box/box.ts';
import { MEMORY_SAMPLE_MS, MEMORY_SAMPLES_MAX } from './limits.ts';

/** By box: seconds since the first sample, bytes without the page cache of plain files. */
export type MemorySamples = Readonly<Record<string, readonly (readonly [number, number])[]>>;

/** Takes one sample per box and second until stopped or MEMORY_SAMPLES_MAX. */
export function createMemorySamples(boxes: ReadonlyMap<string, Box>) {
  const begun = performance.now();
  const samples: Record<string, [number, number][]> = Object.fromEntries([...boxes.keys()].map((name) => [name, []]));
  const take = () => {
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    for (const [name, box] of boxes) {
      const series = samples[name] ?? [];
      if (series.length < MEMORY_SAMPLES_MAX) series.push([seconds, box.usedBytes()]);
    }
  };
  take();
  const timer = setInterval(take, MEMORY_SAMPLE_MS).unref();
  return { read: (): MemorySamples => structuredClone(samples), stop: () => clearInterval(timer) };
}

/** When the last sample was taken; 0 before the first. */
export function lastSecond(samples: MemorySamples): number {
  return Math.max(0, ...Object.values(samples).map((series) => series.at(-1)?.[0] ?? 0));
}

/** Those from `second` on, counted from there. */
export function samplesSince(second: number, samples: MemorySamples): MemorySamples {
  return Object.fromEntries(
    Object.entries(samples).map(([name, series]) => [
      name,
      series.filter(([at]) => at >= second).map(([at, bytes]) => [Math.round((at - second) * 10) / 10, bytes]),
    ]),
  );
}

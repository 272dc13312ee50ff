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

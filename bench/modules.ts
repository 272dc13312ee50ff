/** The bench's part of each module: found by the names in src/modules.ts, so that nothing here lists modules again. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { MODULES } from '../src/modules.ts';
import type { LoadedBench, ModuleBench } from './module-bench.ts';
import { bench as platform } from './platform/bench.ts';

/** The platform's first, then those of the modules, in the order of their list; a module without one is left out. */
export async function loadBenches(): Promise<readonly LoadedBench[]> {
  const places = MODULES.map(({ name }) => ({ name, folder: path.join(import.meta.dirname, 'modules', name) }));
  const own = places
    .map((place) => ({ ...place, file: path.join(place.folder, 'bench.ts') }))
    .filter(({ file }) => existsSync(file))
    .map(async ({ file, ...place }): Promise<LoadedBench> => {
      const face = (await import(pathToFileURL(file).href)) as { bench: ModuleBench };
      return { ...place, ...face.bench };
    });
  return [{ name: 'platform', folder: import.meta.dirname, ...platform }, ...(await Promise.all(own))];
}

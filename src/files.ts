import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The absolute path of a project file (`migrations`, `web/…`), whether the code runs from src/ or bundled from dist/.
 */
export function projectFile(...segments: string[]): string {
  return join(PROJECT_ROOT, ...segments);
}

const PROJECT_ROOT = findRoot(import.meta.dirname);

function findRoot(from: string): string {
  let folder = from;
  while (!existsSync(join(folder, 'migrations'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new Error(`No folder above ${from} contains migrations/. Is part of the project missing from the image?`);
    folder = parent;
  }
  return folder;
}

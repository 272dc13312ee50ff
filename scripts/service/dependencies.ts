import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Packages in `dependencies` of package.json that none of `files` imports. */
export function unusedDependencies(root: string, files: readonly string[]): string[] {
  const { dependencies = {} } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  const code = files
    .filter((file) => /\.(?:ts|js)$/.test(file))
    .map((file) => readFileSync(path.join(root, file), 'utf8'))
    .join('\n');
  return Object.keys(dependencies).filter((name) => !new RegExp(`['"]${name}(?:/[^'"]*)?['"]`).test(code));
}

/**
 * Bundles the workers into dist/ with rolldown: `npm run build`, and `npm start` when a source is newer.
 *
 * One entry per worker next to launch.js, which loads them from there; code that several workers use goes into shared
 * chunks. Packages are bundled too, minified but not mangled (stack traces stay readable): a worker then takes 15 to 35
 * MB less than with packages loaded file by file from node_modules (`--packages=external`).
 * The build is skipped when the sources, the lock file and the options have not changed since the last one.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export type Packages = 'external' | 'bundled';
export type BuildOptions = { root?: string; packages?: Packages; force?: boolean; out?: string };

const ROOT = path.resolve(import.meta.dirname, '..');

/** @returns whether it built anything */
export async function build(options: BuildOptions = {}): Promise<boolean> {
  const { root = ROOT, packages = 'bundled', force = false, out = 'dist' } = options;
  if (!force && isBuilt(root, packages, out)) return false;
  const dist = path.join(root, out);
  // Before the build: if a source is saved meanwhile, the next run builds again.
  const fingerprint = fingerprintOf(root, packages);
  // Loaded only here, because it takes more memory than everything else in the processes that import this file.
  const { rolldown } = await import('rolldown');

  // The stamp is written last, so an interrupted build never counts as complete.
  rmSync(dist, { recursive: true, force: true });
  const bundle = await rolldown({
    cwd: root,
    input: entriesOf(root),
    platform: 'node',
    // Anything that does not start with a dot or a slash is a package.
    ...(packages === 'external' ? { external: /^[^./]/ } : {}),
    transform: { target: 'node24' },
  });
  try {
    await bundle.write({
      dir: dist,
      format: 'esm',
      minify: { compress: true, mangle: false, codegen: true },
      entryFileNames: '[name].js',
      chunkFileNames: 'shared/[name]-[hash].js',
    });
  } finally {
    await bundle.close();
  }
  writeFileSync(path.join(dist, '.stamp'), fingerprint);
  return true;
}

/** Whether `out` was built from these sources with these options. */
export function isBuilt(root: string, packages: Packages = 'bundled', out = 'dist'): boolean {
  const stamp = path.join(root, out, '.stamp');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprintOf(root, packages);
}

function entriesOf(root: string): Record<string, string> {
  const workers = readdirSync(path.join(root, 'workers')).filter((file) => file.endsWith('.ts'));
  return {
    ...Object.fromEntries(workers.map((file) => [path.basename(file, '.ts'), path.join(root, 'workers', file)])),
  };
}

/** By content, not by modification time, which a fresh checkout or a copied image does not preserve. */
function fingerprintOf(root: string, packages: Packages): string {
  const hash = createHash('sha256').update(packages);
  const sources = ['src', 'workers'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => path.join(folder, file)),
  );
  for (const file of [...sources.sort(), 'package-lock.json', path.join('scripts', 'build.ts')]) {
    const full = path.join(root, file);
    hash.update(`\0${file}\0`).update(existsSync(full) ? readFileSync(full) : '');
  }
  return hash.digest('hex');
}

if (import.meta.main) {
  const started = performance.now();
  const external = process.argv.includes('--packages=external');
  const built = await build({ packages: external ? 'external' : 'bundled', force: process.argv.includes('--force') });
  console.log(built ? `built dist/ in ${Math.round(performance.now() - started)} ms` : 'dist/ is up to date');
}

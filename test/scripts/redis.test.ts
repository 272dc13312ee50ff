import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { findRedis } from '../../scripts/embedded/redis.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

test('without Redis and without apt the error says how to install it, and names REDIS_URL', async () => {
  const nothing = findRedis({ platform: 'linux', path: [], fetch: undefined });
  await expect(nothing).rejects.toThrow(/No valkey-server or redis-server on the PATH/);
  await expect(findRedis({ platform: 'linux', path: [], fetch: undefined })).rejects.toThrow(
    /REDIS_URL[\s\S]*apt-get install[\s\S]*dnf install[\s\S]*apk add/,
  );
});

test('on a Mac the error names brew', async () => {
  await expect(findRedis({ platform: 'darwin', path: [], fetch: undefined })).rejects.toThrow(/brew install valkey/);
});

test('when apt fails, the error holds both its reason and the way by hand', async () => {
  const fetch = () => Promise.reject(new Error('no route to the archive'));
  await expect(findRedis({ platform: 'linux', path: [], fetch })).rejects.toThrow(
    /apt-get install[\s\S]*no route to the archive/,
  );
});

test('a server on the PATH is taken before anything is fetched, Valkey before Redis', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-path-'));
  folders.push(folder);
  for (const name of ['redis-server', 'valkey-server']) {
    writeFileSync(path.join(folder, name), '');
    chmodSync(path.join(folder, name), 0o755);
  }
  const fetch = () => Promise.reject(new Error('fetched although one is there'));
  const found = await findRedis({ platform: 'linux', path: ['/nowhere', folder], fetch });
  expect(found.command).toBe(path.join(folder, 'valkey-server'));
});

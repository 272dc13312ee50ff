import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { livingProcesses } from '../../scripts/embedded/process-record.ts';
import { readStackFile, type StackFile } from '../../scripts/embedded/stack-file.ts';
import { seed } from '../../scripts/seed.ts';
import { adminUrlOf, asAdmin, createTestDatabase, type TestDatabase, until } from '../database.ts';

const START_MS = 200_000;
const run = promisify(execFile);

let folder: string;
let original: TestDatabase;
let staging: StackFile;
let child: ReturnType<typeof spawn>;
let output = '';
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-staging-'));
  original = await createTestDatabase({ replica: false });
  await seed(original.ownerUrl, { scale: 0.02 });
  // Tests have the tables of the template's module, and the product has no such module.
  await asAdmin((client) => client.query('drop table notes, note_days'), adminUrlOf(original));
  const args = ['scripts/staging.ts', `--folder=${folder}`, '--ports=any', `--from=${original.ownerUrl}`];
  // What the shell says of servers and of mail leads nowhere.
  const env = {
    ...process.env,
    DATABASE_URL: original.url,
    SMTP_URL: 'smtp://mail.acme.com',
    REDIS_URL: 'redis://acme.com',
  };
  child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  await until('staging is up', () => output.includes('Staging is up') || child.exitCode !== null, START_MS);
  expect(output).toContain('Staging is up');
  staging = readStackFile(folder) as StackFile;
});
afterAll(async () => {
  if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit');
  expect(livingProcesses(folder)).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
  await original.close();
});

test('it has servers of its own, and nobody’s address', async () => {
  const servers = [staging.databaseUrl, staging.redisUrl, staging.smtpUrl].map((url) => new URL(url));
  expect(servers.map(({ hostname }) => hostname)).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
  expect(servers.map(({ port }) => port)).not.toContain(new URL(inject('databaseUrl')).port);
  const rows = await asAdmin(
    async (client) => (await client.query('select email from users')).rows,
    staging.databaseUrl,
  );
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter(({ email }) => !email.endsWith('.staging.test'))).toEqual([]);
});

test('each process says that it is staging', async () => {
  for (const url of [staging.urls.api, staging.urls.chat, staging.urls.mailer])
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ ready: true, environment: 'staging' });
});

test('it is put under load, and every answer is right', async () => {
  const load = ['bench/staging-load.ts', `--folder=${folder}`, '--seconds=3', '--per-second=10'];
  const { stdout } = await run(process.execPath, load);
  expect(stdout).toMatch(/requests: .* 0 refused, 0 failed, 0 wrong/);
});

test('its folder is not that of the first product', async () => {
  const wrong = run(process.execPath, ['scripts/staging.ts', '--folder=.tardigrade']);
  await expect(wrong).rejects.toMatchObject({ code: 64, stderr: expect.stringContaining('staging has its own') });
});

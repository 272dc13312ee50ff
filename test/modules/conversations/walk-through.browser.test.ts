import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, inject, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..');
const SHELL_MS = 100_000;

let printed = '';

/** Every shell block of docs/modules/conversations/walk-through.md, word for word, as one script in a folder like the project's own. */
beforeAll(async () => {
  const home = inject('home');
  for (const name of ['node_modules', 'docs']) symlinkSync(path.join(ROOT, name), path.join(home, name));
  const page = readFileSync(path.join(ROOT, 'docs', 'modules', 'conversations', 'walk-through.md'), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]);
  expect(blocks.length).toBeGreaterThan(5);
  const run = promisify(execFile)('bash', ['-e', '-c', blocks.join('\n')], { cwd: home, timeout: SHELL_MS });
  const { stdout } = await run.catch((error: Error & { stdout: string; stderr: string }) => {
    throw new Error(`${error.message}\n${error.stdout}\n${error.stderr}`);
  });
  printed = stdout;
}, SHELL_MS);

test('the walk-through signs in and imports 199 people, once', () => {
  expect(printed).toContain('"email":"owner@tardigrade.test"');
  const reports = [
    ...printed.matchAll(/"rowsRead":200,"rowsAdded":(\d+),"rowsUpdated":0,"rowsUnchanged":(\d+),"rowsRejected":1/g),
  ];
  expect(reports.map(([, added, unchanged]) => [added, unchanged])).toEqual([
    ['199', '0'],
    ['0', '199'],
  ]);
  expect(printed).toContain('"line":3,');
});

test('the walk-through launches a campaign that ends with a mail to everybody whom other tests have not had suppressed', () => {
  expect(printed).toContain('a few questions from ');
  expect(printed).toMatch(/^sending$/m);
  const [, recipients, sent, skipped] =
    /recipients: (\d+),\s+sent: (\d+),\s+failed: 0,\s+skipped: (\d+)/.exec(printed) ?? [];
  expect(Number(recipients)).toBeGreaterThan(199);
  expect(Number(sent) + Number(skipped)).toBe(Number(recipients));
  expect(Number(skipped)).toBeLessThan(5);
});

test('the walk-through answers all questions, and they come out in the conversation and in the export', () => {
  expect(printed.match(/\(committed as number \d+\)/g)).toHaveLength(5);
  expect(printed).toMatch(/answers: 5/);
  expect(printed.match(/Too many meetings, sadly\./g)?.length).toBeGreaterThanOrEqual(3);
});

test('the walk-through sees every process, reads its own write, and signs out', () => {
  for (const name of ['api', 'mailer', 'chat']) expect(printed).toMatch(new RegExp(`^${name} \\d+ MB$`, 'm'));
  expect(printed).toMatch(/^Renamed$/m);
  expect(printed.trimEnd().endsWith('204')).toBe(true);
});

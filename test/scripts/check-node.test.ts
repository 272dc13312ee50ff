import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const CHECK = 'scripts/check-node.cjs';
const { scripts, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  devDependencies: { node: string };
};
const needed = Number(devDependencies.node.split('.')[0]);

/** As a Node of that version would run it. */
function runAs(version: string) {
  const pretend = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } }); require('./${CHECK}')`;
  return spawnSync(process.execPath, ['-e', pretend], { cwd: ROOT, encoding: 'utf8' });
}

test.each(['20.20.2', '24.1.0'])('on Node %s one line says what to run', (version) => {
  const { status, stderr, stdout } = runAs(version);
  expect(status).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(
    new RegExp(`^This is Node ${version}, and Node ${needed} is needed.* Run: npm rebuild node .*\\n$`),
  );
});

test.each([`${needed}.0.0`, `${needed + 1}.3.0`])('on Node %s nothing is said', (version) => {
  expect(runAs(version)).toMatchObject({ status: 0, stderr: '', stdout: '' });
});

test('every command that runs on Node checks its version first', () => {
  const unchecked = Object.entries(scripts).filter(
    ([, script]) => /\bnode\b|\bvitest\b/.test(script) && !script.startsWith(`node -r ./${CHECK} `),
  );
  expect(unchecked).toEqual([]);
});

const old = olderNode();
test.skipIf(old === undefined)("a machine's own older Node is answered in one line, whatever the command", () => {
  const [, , ...words] = scripts['start']?.split(' ') ?? [];
  const { status, stderr } = spawnSync(old as string, ['-r', ...words], { cwd: ROOT, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr.split('\n')).toHaveLength(2);
  expect(stderr).toContain('npm rebuild node');
});

/** One that is too old, outside node_modules. */
function olderNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'node'))
    .filter((file) => !file.includes('node_modules') && existsSync(file))
    .find(
      (file) => Number(execFileSync(file, ['-p', 'parseInt(process.versions.node)'], { encoding: 'utf8' })) < needed,
    );
}

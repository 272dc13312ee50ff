/** Regenerates files that are derived from others. A step's output is shown only if it fails. */
import { spawnSync } from 'node:child_process';

export interface Step {
  readonly what: string;
  readonly command: readonly [string, ...string[]];
}

/** `tests` are the tests whose queries go into the snapshot. */
export function regenerationSteps(tests: readonly string[]): Step[] {
  return [
    { what: 'types of the tables', command: ['npm', 'run', '--silent', 'generate:schema'] },
    { what: 'types of the client', command: ['npm', 'run', '--silent', 'generate:client'] },
    { what: 'alert rules and dashboards', command: ['npm', 'run', '--silent', 'generate:alerts'] },
    { what: 'manifests', command: ['npm', 'run', '--silent', 'generate:kubernetes'] },
    { what: 'imports and format', command: ['npx', 'biome', 'check', '--write', '--log-level=error', '.'] },
    { what: 'types', command: ['npx', 'tsc', '--noEmit'] },
    { what: 'types of the pages', command: ['npx', 'tsc', '-p', 'web'] },
    ...(tests.length === 0
      ? []
      : [{ what: 'snapshot of the queries', command: ['npx', 'vitest', 'run', ...tests, '--update'] } as const]),
  ];
}

/** Throws with the output of the first step that fails. */
export function runSteps(root: string, steps: readonly Step[], say: (text: string) => void): void {
  for (const { what, command } of steps) {
    const begun = performance.now();
    const [program, ...args] = command;
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new Error(`${command.join(' ')} failed:\n${stdout}${stderr}`);
    say(`${what}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  }
}

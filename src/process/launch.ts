/**
 * Starts a worker with a heap that fits its container: `node launch.ts api`.
 * The first pass works out V8's flags and replaces this process by itself with them (execve: same pid, nothing of the
 * first pass stays in memory); the second pass loads the worker. Everything heavy is imported in the second.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { heapFlags, memoryLimit } from './memory-limit.ts';
import type { ProcessName } from './run-process.ts';

const WORKERS: readonly ProcessName[] = ['api', 'mailer', 'chat', 'all', 'migrate'];

const name = WORKERS.find((worker) => worker === process.argv[2]);
if (name === undefined) {
  process.stderr.write(`Which worker? One of ${WORKERS.join(', ')}, for example: npm run start:api\n`);
  process.exit(64);
}

const flags = heapFlags(memoryLimit());
if (flags.every((flag) => process.execArgv.includes(flag)) || typeof process.execve !== 'function') {
  const bundled = join(import.meta.dirname, `${name}.js`);
  const file = existsSync(bundled) ? bundled : join(import.meta.dirname, '..', '..', 'workers', `${name}.ts`);
  const { runProcess } = await import('./run-process.ts');
  await runProcess(name, (await import(file)).start);
} else {
  // The name of the file that runs, and what it was given, stay; only node's own arguments change.
  const [, script = '', ...args] = process.argv;
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...flags, script, ...args], process.env);
}

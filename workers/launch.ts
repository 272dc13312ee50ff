/**
 * Starts a worker with a heap that fits its container: `node launch.ts api`.
 * The first pass works out V8's flags and replaces this process by itself with them (execve: same pid, nothing of the
 * first pass stays in memory); the second pass loads the worker. Everything heavy is imported in the second.
 */
import { extname, join } from 'node:path';
import { heapFlags, memoryLimit } from '../src/process/memory-limit.ts';
import { PROCESS_NAMES } from '../src/processes.ts';

const name = PROCESS_NAMES.find((worker) => worker === process.argv[2]);
if (name === undefined) {
  process.stderr.write(`Which worker? One of ${PROCESS_NAMES.join(', ')}, for example: npm run start:api\n`);
  process.exit(64);
}

const flags = heapFlags(memoryLimit());
if (flags.every((flag) => process.execArgv.includes(flag)) || typeof process.execve !== 'function') {
  // Beside this file, as source or bundled.
  const worker = await import(join(import.meta.dirname, `${name}${extname(import.meta.filename)}`));
  const { runProcess } = await import('../src/process/run-process.ts');
  await runProcess(name, worker.start);
} else {
  // The name of the file that runs, and what it was given, stay; only node's own arguments change.
  const [, script = '', ...args] = process.argv;
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...flags, script, ...args], process.env);
}

/**
 * Starts a worker with a heap that fits its container: `node launch.ts api`.
 * The first pass computes V8's flags and replaces the process with itself under these flags (execve: same pid, and
 * nothing of the first pass stays in memory). The second pass loads the worker, so everything heavy is imported only
 * there.
 */
import { extname, join } from 'node:path';
import { heapFlags, MALLOC_VARIABLES, memoryLimit } from '../src/process/memory-limit.ts';
import { PROCESS_NAMES } from '../src/processes.ts';

const name = PROCESS_NAMES.find((worker) => worker === process.argv[2]);
if (name === undefined) {
  process.stderr.write(`Which worker? One of ${PROCESS_NAMES.join(', ')}, for example: npm run start:api\n`);
  process.exit(64);
}

const flags = heapFlags(memoryLimit());
if (flags.every((flag) => process.execArgv.includes(flag)) || typeof process.execve !== 'function') {
  // Next to this file, as source or bundled.
  const worker = await import(join(import.meta.dirname, `${name}${extname(import.meta.filename)}`));
  const { runProcess } = await import('../src/process/run-process.ts');
  await runProcess(name, worker.start);
} else {
  // The script and its arguments stay the same; only Node's own arguments change.
  const [, script = '', ...args] = process.argv;
  const environment = { ...MALLOC_VARIABLES, ...process.env };
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...flags, script, ...args], environment);
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Account } from '../load/plan.ts';
import type { FromSide, ToSide } from './side.ts';

export interface Side {
  readonly url: string;
  readonly accounts: readonly Account[];
  /** Why its limits are none; empty when they hold. */
  readonly faults: readonly string[];
  /** Of all of its boxes, since they were made. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the product as it is in `root`, with that root's bench, and resolves when it is ready. */
export async function startSide(root: string): Promise<Side> {
  const child = fork(path.join(root, 'bench', 'ab', 'side.ts'), {
    cwd: root,
    // A version brings its own Node (package.json pins it).
    execPath: path.join(root, 'node_modules', 'node', 'bin', 'node'),
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const first = await heard(child);
  if (!('ready' in first))
    throw new Error(`${root} did not start: ${'error' in first ? first.error : 'it spoke of something else'}`);
  return {
    ...first.ready,
    async cpuSeconds() {
      const answer = heard(child);
      child.send({ ask: 'cpu' } satisfies ToSide);
      const message = await answer;
      if (!('cpuSeconds' in message)) throw new Error(`${root} does not say what it used: ${JSON.stringify(message)}`);
      return message.cpuSeconds;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.send({ ask: 'stop' } satisfies ToSide);
      await gone;
    },
  };
}

/** The next message; rejects when the process ends instead. */
function heard(child: ChildProcess): Promise<FromSide> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null, signal: string | null) =>
      reject(new Error(`${child.spawnargs.at(-1)} ended with ${signal ?? code}`));
    child.once('exit', gone);
    child.once('message', (message: FromSide) => {
      child.off('exit', gone);
      resolve(message);
    });
  });
}

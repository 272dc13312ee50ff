/**
 * A Redis for the queues: the one in REDIS_URL, else valkey-server or redis-server from the PATH, else the one from the
 * Debian or Ubuntu archive (redis-from-apt.ts).
 */
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { type Startable, type StopStep, startReady, type WrapCommand } from './child.ts';
import { REDIS_READY_MS, SERVER_STOP_MS } from './limits.ts';
import { fetchRedisFromApt, type RedisProgram } from './redis-from-apt.ts';

export type RedisOptions = {
  folder: string;
  port: number;
  password: string;
  /** False for tests only: nothing is kept. Default true. */
  durable?: boolean;
  /** What is installed on the machine; detected unless given. */
  machine?: Machine;
  wrap?: WrapCommand | undefined;
};

export type Redis = Startable & { pid: number; url: string; stop: () => Promise<void> };

export type Machine = {
  platform: NodeJS.Platform;
  /** The folders of PATH. */
  path: string[];
  /** Fetches a server if none is installed; undefined if this machine has no apt. */
  fetch: (() => Promise<RedisProgram>) | undefined;
};

/** Valkey first: it has a free licence, and is newer on machines that have both. */
const PROGRAMS = ['valkey-server', 'redis-server'];

/** @throws with the command that installs Redis if this machine has none and none can be fetched */
export async function createRedis(options: RedisOptions): Promise<Redis> {
  const { folder, port, password, durable = true } = options;
  const program = await findRedis(options.machine ?? thisMachine());
  const dataFolder = path.join(folder, 'redis');
  const settings = path.join(dataFolder, 'redis.conf');
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  // In a file, because as an argument the password would be visible in the process list.
  writeFileSync(settings, redisSettings(port, password, dataFolder, durable), { mode: 0o600 });
  const again = (signal?: AbortSignal) =>
    startReady(
      {
        folder,
        name: 'redis',
        command: program.command,
        args: [settings],
        cwd: dataFolder,
        env: { ...process.env, ...program.env },
        wrap: options.wrap,
      },
      { ready: () => answersPing(port, password), deadlineMs: REDIS_READY_MS, stopSteps: STOP_STEPS, signal },
    );
  const child = await again();
  const stop = () => child.stop(STOP_STEPS);
  return {
    ...{ pid: child.pid, url: `redis://:${password}@127.0.0.1:${port}`, stop },
    child,
    stopSteps: STOP_STEPS,
    again,
  };
}

const STOP_STEPS: StopStep[] = [{ signal: 'SIGTERM', waitMs: SERVER_STOP_MS }];

/** The program to run. */
export async function findRedis(machine: Machine): Promise<RedisProgram> {
  for (const name of PROGRAMS) {
    const command = machine.path.map((folder) => path.join(folder, name)).find(isExecutable);
    if (command !== undefined) return { command };
  }
  try {
    if (machine.fetch !== undefined) return await machine.fetch();
  } catch (error) {
    throw new Error(`${howToInstall(machine.platform)}\nFetching it with apt failed: ${(error as Error).message}`, {
      cause: error,
    });
  }
  throw new Error(howToInstall(machine.platform));
}

function thisMachine(): Machine {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  // Debian installs servers in folders that may not be on an ordinary user's PATH.
  const all = [...folders, '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];
  const hasApt = ['apt-get', 'dpkg-deb'].every((name) => all.some((folder) => isExecutable(path.join(folder, name))));
  return { platform: process.platform, path: all, fetch: hasApt ? fetchRedisFromApt : undefined };
}

function howToInstall(platform: NodeJS.Platform): string {
  const lines =
    platform === 'darwin'
      ? ['brew install valkey']
      : [
          'Debian, Ubuntu   sudo apt-get install -y redis-server',
          'Fedora, RHEL     sudo dnf install -y valkey',
          'Alpine           sudo apk add valkey',
        ];
  return `No valkey-server or redis-server on the PATH. Install one, or set REDIS_URL to your own server:\n  ${lines.join('\n  ')}`;
}

/** The file that it is started with. */
export function redisSettings(port: number, password: string, dataFolder: string, durable: boolean): string {
  return `# Written before each start by scripts/embedded/redis.ts; changes made here are lost.
bind 127.0.0.1
port ${port}
# A web page in a browser on this machine can reach the port too.
requirepass ${password}
dir "${dataFolder}"
daemonize no
# A crash loses at most the last second of jobs; a snapshot would fork, and a fork can double the memory.
save ""
appendonly ${durable ? 'yes' : 'no'}
appendfsync everysec
auto-aof-rewrite-min-size 16mb
# A full Redis must refuse new jobs, never evict old ones.
maxmemory 64mb
maxmemory-policy noeviction
`;
}

/** Redis answers PING with PONG once its data is loaded, and with -LOADING before. */
function answersPing(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let answer = '';
    const finish = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (answer.split('\r\n').length > 2) finish(answer.endsWith('+PONG\r\n'));
    });
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

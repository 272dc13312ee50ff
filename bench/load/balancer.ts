/**
 * HAProxy in front of several instances, as most people run them: it asks /readyz before it sends anybody to an instance.
 * As `tcp` it distributes connections in turn, and clients talk to the instance itself. As `http` it distributes
 * requests over connections of its own, with the settings of docker-compose.yml. Fetched from the archive, if the
 * machine has none.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startChild, waitForChild } from '../../scripts/embedded/child.ts';
import { fetchFromApt } from '../../scripts/embedded/from-apt.ts';
import { choosePort } from '../../scripts/embedded/ports.ts';

const READY_MS = 20_000;
const STOP_MS = 5_000;

export interface Balancer {
  readonly url: string;
  /** By target, in their order. */
  state(): Promise<TargetState[]>;
  stop(): Promise<void>;
}

export interface TargetState {
  /** Whether it is sent new connections. */
  readonly up: boolean;
  /** Sent to clients so far. */
  readonly bytes: number;
  /** Open now. */
  readonly connections: number;
}

export type BalancerMode = 'tcp' | 'http';

export async function startBalancer(
  folder: string,
  targets: readonly string[],
  mode: BalancerMode = 'tcp',
): Promise<Balancer> {
  const { command, args, env } = await fetchFromApt({ package: 'haproxy', program: 'usr/sbin/haproxy' });
  const [port, statsPort] = [await choosePort('api', 'any'), await choosePort('api', 'any')];
  const settings = path.join(folder, 'balancer', `${mode}.cfg`);
  mkdirSync(path.dirname(settings), { recursive: true });
  writeFileSync(settings, settingsFor(targets, mode, port, statsPort));
  const child = await startChild({
    folder,
    name: `balancer-${mode}`,
    command,
    args: [...args, '-db', '-f', settings],
    env: { ...process.env, ...env },
  });
  const stop = () => child.stop([{ signal: 'SIGTERM', waitMs: STOP_MS }]);
  const stats = `http://127.0.0.1:${statsPort}/stats;csv`;
  const state = async () => {
    const lines = (await (await fetch(stats)).text()).split('\n').map((line) => line.split(','));
    const column = (name: string) => lines[0]?.indexOf(name) ?? -1;
    return lines
      .filter(([, server]) => /^instance-\d+$/.test(server ?? ''))
      .map((line) => ({
        up: line[column('status')] === 'UP',
        bytes: Number(line[column('bout')]),
        connections: Number(line[column('scur')]),
      }));
  };
  try {
    await waitForChild(child, READY_MS, () =>
      state().then(
        (found) => found.length === targets.length,
        () => false,
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}`, state, stop };
}

const OF_HTTP = `
  option forwardfor
  option http-buffer-request
  retry-on conn-failure
  timeout http-request 10s`;

function settingsFor(targets: readonly string[], mode: BalancerMode, port: number, statsPort: number): string {
  const servers = targets.map((target, nth) => `  server instance-${nth + 1} ${new URL(target).host} check`);
  return `global
  maxconn 4096
defaults
  mode ${mode}
  option contstats
  timeout connect 2s
  timeout check 2s
  timeout client 60s
  timeout server 60s
  retries 2
  option redispatch${mode === 'http' ? OF_HTTP : ''}
frontend clients
  bind 127.0.0.1:${port}
  default_backend instances
backend instances
  balance ${mode === 'http' ? 'leastconn' : 'roundrobin'}
  option httpchk GET /readyz
  default-server inter 500ms fall 2 rise 2
${servers.join('\n')}
frontend stats
  mode http
  bind 127.0.0.1:${statsPort}
  stats enable
  stats uri /stats
`;
}

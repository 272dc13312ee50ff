/** A real Prometheus beside the layout, with the rules of deploy/prometheus; undefined if the machine has none. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { startChild, waitForChild } from '../../scripts/embedded/child.ts';
import { choosePort } from '../../scripts/embedded/ports.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const READY_MS = 20_000;
const STOP_MS = 5_000;

export interface Prometheus {
  /** The names of the alerts that fire now. */
  firing(): Promise<string[]>;
  /** Takes all targets out of its configuration. Returns what puts them back. */
  forgetTargets(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export async function startPrometheus(folder: string, targets: readonly string[]): Promise<Prometheus | undefined> {
  if (spawnSync('prometheus', ['--version']).status !== 0) return undefined;
  const home = path.join(folder, 'prometheus');
  mkdirSync(home, { recursive: true });
  const settings = (hosts: readonly string[]) => ({
    global: { scrape_interval: '5s', evaluation_interval: '5s' },
    rule_files: [path.join(ROOT, 'deploy', 'prometheus', 'rules', '*.yml')],
    scrape_configs: [{ job_name: 'tardigrade', static_configs: [{ targets: hosts }] }],
  });
  const file = path.join(home, 'prometheus.yml');
  const hosts = targets.map((target) => new URL(target).host);
  writeFileSync(file, stringify(settings(hosts)));
  const port = await choosePort('api', 'any');
  const url = `http://127.0.0.1:${port}`;
  const child = await startChild({
    folder,
    name: 'prometheus',
    command: 'prometheus',
    args: [
      `--config.file=${file}`,
      `--storage.tsdb.path=${path.join(home, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
  });
  await waitForChild(child, READY_MS, () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return {
    async firing() {
      const { data } = (await (await fetch(`${url}/api/v1/alerts`)).json()) as {
        data: { alerts: { state: string; labels: { alertname: string } }[] };
      };
      return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
    },
    async forgetTargets() {
      const take = (some: readonly string[]) => {
        writeFileSync(file, stringify(settings(some)));
        process.kill(child.pid, 'SIGHUP'); // it reads its configuration again
      };
      take([]);
      return async () => take(hosts);
    },
    stop: () => child.stop([{ signal: 'SIGTERM', waitMs: STOP_MS }]),
  };
}

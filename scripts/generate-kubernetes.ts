/**
 * `npm run generate:kubernetes`: writes the manifests in deploy/k8s. They are made of typed objects, so that a field that
 * Kubernetes does not know is a type error, and limits, instances and connections are the numbers of src/.
 * test/scripts/kubernetes.test.ts fails while they differ.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { MODULES } from '../src/modules.ts';
import { ONLY_PROMETHEUS, rulesFile } from './alerts/prometheus.ts';
import { monitor, postgresMonitor, rules } from './kubernetes/monitoring.ts';
import { HOSTS, networkObjects } from './kubernetes/network.ts';
import { databaseHosts, postgresObjects } from './kubernetes/postgres.ts';
import { adapterRules, autoscalers } from './kubernetes/scaling.ts';
import { connectionsOf, SIZES, type Size } from './kubernetes/sizes.ts';
import { valkeyObjects } from './kubernetes/valkey.ts';
import { settings, workerObjects } from './kubernetes/workers.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const HEADER =
  '# Generated from src/ and scripts/kubernetes by npm run generate:kubernetes. Changes made here are lost.\n';

/** Their texts, by their paths in the project. */
export async function kubernetesFiles(): Promise<Map<string, string>> {
  const base = {
    'workers.yaml': workerObjects(),
    'network.yaml': networkObjects(),
    'valkey.yaml': valkeyObjects(),
    'monitoring.yaml': [monitor(), postgresMonitor()],
  };
  const files = new Map<string, string>();
  const put = (file: string, objects: readonly object[]) =>
    files.set(`deploy/k8s/${file}`, `${HEADER}${objects.map((one) => stringify(one, YAML)).join('---\n')}`);
  for (const [name, objects] of Object.entries(base)) put(`base/${name}`, objects);
  put('base/kustomization.yaml', [kustomization(Object.keys(base))]);
  for (const size of SIZES) {
    put(`overlays/${size.name}/sized.yaml`, [
      settings(settingsOf(size)),
      ...postgresObjects(size),
      ...autoscalers(size),
    ]);
    put(`overlays/${size.name}/kustomization.yaml`, [kustomization(['../../base', 'sized.yaml'])]);
  }
  // In files of their own, which go with their modules; apply.sh takes all that are there.
  for (const [module, text] of await ruleFiles()) put(`rules/${module}.yaml`, [rules(module, text)]);
  put('prometheus-adapter.yaml', [adapterRules()]);
  return files;
}

const YAML = { lineWidth: 0, aliasDuplicateObjects: false } as const;

async function ruleFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const { name, alerts } of MODULES) {
    if (alerts === undefined) continue;
    files.set(name, rulesFile(name, (await alerts()).alerts, name === 'operations' ? ONLY_PROMETHEUS : []));
  }
  return files;
}

function kustomization(resources: readonly string[]): object {
  return { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', namespace: 'tardigrade', resources };
}

/** Each process refuses to start when all of them together want more connections than the server has. */
function settingsOf(size: Size): Record<string, string> {
  const { api, chat, mailer } = size.instances;
  return {
    ...databaseHosts(size),
    // Those that always run. The autoscaler's report themselves (src/db/connection-budget.ts), and none of them is missed.
    API_INSTANCES: String(api.min),
    CHAT_INSTANCES: String(chat.min),
    MAILER_INSTANCES: String(mailer.min),
    API_URL: `https://${HOSTS.api}`,
    CHAT_URL: `https://${HOSTS.chat}`,
    MAIL_FROM: 'Tardigrade <hello@tardigrade.test>',
    OPERATORS: '',
    ALERT_MAIL_TO: '',
  };
}

if (import.meta.main) {
  for (const [file, text] of await kubernetesFiles()) {
    mkdirSync(path.join(ROOT, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(ROOT, file), text);
    console.log(file);
  }
  for (const size of SIZES)
    console.log(
      `${size.name}: at most ${connectionsOf(size.instances)} connections of the processes; max_connections ${size.postgres.maxConnections}`,
    );
}

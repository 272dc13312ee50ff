/**
 * `npm run generate:alerts`: writes what is made of the alert rules and metrics in src/: the Prometheus rules with their
 * tests, one file a module, and the dashboards of Grafana. test/scripts/alerts.test.ts fails while they differ.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MODULES } from '../src/modules.ts';
import type { AlertRule } from '../src/process/alert-before-full.ts';
import { ONLY_PROMETHEUS, rulesFile } from './alerts/prometheus.ts';
import { rulesTestFile, TESTS_OF_ONLY_PROMETHEUS } from './alerts/prometheus-tests.ts';
import { dashboardFiles } from './dashboards/dashboards.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/** The module that has what only Prometheus sees. */
const PLATFORM = 'operations';

/** Their texts, by their paths in the project. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const all: AlertRule[] = [];
  for (const { name, alerts } of MODULES) {
    if (alerts === undefined) continue;
    const { alerts: rules } = await alerts();
    all.push(...rules);
    const isPlatform = name === PLATFORM;
    files.set(`deploy/prometheus/rules/${name}.yml`, rulesFile(name, rules, isPlatform ? ONLY_PROMETHEUS : []));
    files.set(
      `deploy/prometheus/tests/${name}.yml`,
      rulesTestFile(`../rules/${name}.yml`, rules, isPlatform ? TESTS_OF_ONLY_PROMETHEUS : []),
    );
  }
  for (const [name, text] of dashboardFiles(all)) files.set(`deploy/grafana/${name}.json`, text);
  return files;
}

if (import.meta.main) {
  for (const [file, text] of await generatedFiles()) {
    mkdirSync(path.join(ROOT, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(ROOT, file), text);
    console.log(file);
  }
}

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { condition } from '../../scripts/alerts/prometheus.ts';
import { rulesTestFile } from '../../scripts/alerts/prometheus-tests.ts';
import { generatedFiles } from '../../scripts/generate-alerts.ts';
import { alerts } from '../../src/modules/operations/alert-rules.ts';

const RULES = path.resolve('deploy', 'prometheus', 'rules');
const HAS_PROMTOOL = spawnSync('promtool', ['--version']).status === 0;
const HAS_AMTOOL = spawnSync('amtool', ['--version']).status === 0;
if (!HAS_PROMTOOL || !HAS_AMTOOL)
  process.stderr.write(
    'Skipped: the rules are not tried in Prometheus (apt-get install prometheus prometheus-alertmanager).\n',
  );

const scratch = mkdtempSync(path.join(tmpdir(), 'tardigrade-alerts-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test('the files in deploy/ are what npm run generate:alerts writes', async () => {
  const files = await generatedFiles();
  const differ = [...files].filter(([file, text]) => !existsSync(file) || readFileSync(file, 'utf8') !== text);
  expect(differ.map(([file]) => `${file}: run npm run generate:alerts`)).toEqual([]);
  const there = globSync('deploy/{prometheus/{rules,tests},grafana}/*');
  expect(there.toSorted()).toEqual([...files.keys()].toSorted());
});

test('every rule has a name of its own, and a threshold', async () => {
  const names = alerts.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(alerts.filter(({ above, below }) => (above === undefined) === (below === undefined))).toEqual([]);
});

test.runIf(HAS_PROMTOOL)('Prometheus understands the rules, and each fires in its test and not before', () => {
  for (const file of globSync(`${RULES}/*.yml`)) execFileSync('promtool', ['check', 'rules', file]);
  const tests = globSync('deploy/prometheus/tests/*.yml');
  expect(tests.length).toBeGreaterThan(0);
  for (const file of tests) {
    const { tests: cases } = parse(readFileSync(file, 'utf8')) as { tests: { name: string }[] };
    const { groups } = parse(readFileSync(path.join(RULES, path.basename(file)), 'utf8')) as {
      groups: { rules: { alert: string }[] }[];
    };
    expect(cases.map(({ name }) => name)).toEqual(groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)));
    const { status, stderr, stdout } = spawnSync('promtool', ['test', 'rules', path.basename(file)], {
      cwd: path.dirname(path.resolve(file)),
      encoding: 'utf8',
    });
    expect(status, `${stdout}${stderr}`).toBe(0);
  }
});

test.runIf(HAS_PROMTOOL)('a rule that no longer fires fails its test', () => {
  const [rule] = alerts;
  if (rule === undefined) throw new Error('no rules');
  const broken = readFileSync(path.join(RULES, 'operations.yml'), 'utf8').replace(
    condition(rule),
    condition({ ...rule, above: 2 }),
  );
  writeFileSync(path.join(scratch, 'rules.yml'), broken);
  writeFileSync(path.join(scratch, 'test.yml'), rulesTestFile('rules.yml', [rule]));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'test.yml'], {
    cwd: scratch,
    encoding: 'utf8',
  });
  expect(status).not.toBe(0);
  expect(stdout + stderr).toContain(rule.name);
});

test.runIf(HAS_PROMTOOL)('Prometheus and Alertmanager read their configuration', () => {
  const cwd = path.resolve('deploy', 'prometheus');
  execFileSync('promtool', ['check', 'config', 'prometheus.yml'], { cwd });
  if (HAS_AMTOOL) execFileSync('amtool', ['check-config', 'alertmanager.yml'], { cwd });
});

test.runIf(HAS_AMTOOL)('an alert that cannot wait goes to the people on call, and one that can to the others', () => {
  const routed = (...labels: string[]) =>
    execFileSync(
      'amtool',
      ['config', 'routes', 'test', '--config.file=deploy/prometheus/alertmanager.yml', ...labels],
      {
        encoding: 'utf8',
      },
    ).trim();
  expect(routed('severity=now', 'alertname=DiskFilling')).toBe('now');
  expect(routed('severity=today', 'alertname=BackupOld')).toBe('today');
  expect(routed('severity=none', 'alertname=Watchdog')).toBe('watchdog');
});

test.runIf(HAS_PROMTOOL)(
  'an alert about processes that end names each of them and how often, not only who counts',
  () => {
    const rule = alerts.find(({ name }) => name === 'Crashing');
    if (rule === undefined) throw new Error('no such rule');
    const at = 'job="tardigrade", instance="10.0.0.1:3002", process="mailer"';
    const series = (died: string, value: number) => ({
      series: `tardigrade_crashes_recent{${at}, died="${died}"}`,
      values: `${value}x4`,
    });
    const exp_labels = { severity: rule.severity, job: 'tardigrade', instance: '10.0.0.1:3002', process: 'mailer' };
    // Enough of them that the right order is no luck: a query gives its series in any.
    const died = { redis: 4, api: 1, postgres: 7, chat: 3, mailer: 0, proxy: 6, dispatcher: 5 };
    const description =
      'api 1, chat 3, dispatcher 5, postgres 7, proxy 6, redis 4, as counted by mailer at 10.0.0.1:3002: 26 (above 2).';
    const file = {
      rule_files: [path.join(RULES, 'operations.yml')],
      tests: [
        {
          interval: '15s',
          input_series: Object.entries(died).map(([name, times]) => series(name, times)),
          alert_rule_test: [
            {
              eval_time: '1m',
              alertname: rule.name,
              exp_alerts: [{ exp_labels, exp_annotations: { summary: rule.says, look: rule.look, description } }],
            },
          ],
        },
      ],
    };
    writeFileSync(path.join(scratch, 'who.yml'), stringify(file));
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'who.yml'], {
      cwd: scratch,
      encoding: 'utf8',
    });
    expect(status, `${stdout}${stderr}`).toBe(0);
  },
);

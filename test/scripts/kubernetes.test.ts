import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kubernetesFiles } from '../../scripts/generate-kubernetes.ts';
import { connectionsOf, SIZES } from '../../scripts/kubernetes/sizes.ts';
import { CONNECTIONS_RESERVED, NANO_BYTES, STOP_MS } from '../../src/limits.ts';
import { LISTENING_PROCESSES } from '../../src/processes.ts';

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has its own; the published schemas are what checks them
  readonly spec?: any;
  readonly data?: Readonly<Record<string, string>>;
}

const HAS_KUBECTL = spawnSync('kubectl', ['version', '--client']).status === 0;
if (!HAS_KUBECTL) process.stderr.write('Skipped: kustomize is not run (apt-get install kubernetes-client).\n');

/** Made by people or by an operator, and so in no file (docs/kubernetes.md says how). */
const SECRETS = ['tardigrade', 'postgres-worker', 'postgres-app', 'valkey'];

const files = await kubernetesFiles();
const objectsIn = (text: string) => parseAllDocuments(text).map((one) => one.toJS() as KubernetesObject);
const base = [...files].filter(([file]) => file.includes('/base/') && !file.endsWith('kustomization.yaml'));
const baseObjects = base.flatMap(([, text]) => objectsIn(text));
const sized = (size: string) => objectsIn(files.get(`deploy/k8s/overlays/${size}/sized.yaml`) ?? '');
const rules = [...files].filter(([file]) => file.includes('/rules/')).flatMap(([, text]) => objectsIn(text));
const everything = [...baseObjects, ...rules, ...SIZES.flatMap(({ name }) => sized(name))];
const named = (kind: string, name: string, objects = everything) =>
  objects.find((one) => one.kind === kind && one.metadata.name === name) as KubernetesObject;

test('the files in deploy/k8s are what npm run generate:kubernetes writes', () => {
  const differ = [...files].filter(([file, text]) => !existsSync(file) || readFileSync(file, 'utf8') !== text);
  expect(differ.map(([file]) => `${file}: run npm run generate:kubernetes`)).toEqual([]);
  expect(globSync('deploy/k8s/**/*.yaml').toSorted()).toEqual([...files.keys()].toSorted());
});

/** The published schema of the kind, compiled; CloudNativePG publishes none on npm. */
async function validate(object: KubernetesObject): Promise<void> {
  const [group] = object.apiVersion.split('/');
  const home = group?.startsWith('gateway.')
    ? '@kubernetes-models/gateway-api'
    : group === 'monitoring.coreos.com'
      ? '@kubernetes-models/prometheus-operator'
      : 'kubernetes-models';
  const models = (await import(`${home}/${object.apiVersion}/${object.kind}`)) as Record<
    string,
    new (
      data: object,
    ) => { validate(): void }
  >;
  const Model = models[object.kind];
  if (Model === undefined) throw new Error(`There is no schema of ${object.apiVersion} ${object.kind}`);
  new Model(object).validate();
}

test.each(everything.filter(({ apiVersion }) => !apiVersion.startsWith('postgresql.cnpg.io')))(
  'the published schema of $kind accepts $metadata.name',
  async (object) => {
    await validate(object);
  },
);

test('the schemas refuse what is wrong', async () => {
  const deployment = structuredClone(named('Deployment', 'api'));
  deployment.spec.template.spec.containers[0].ports[0].containerPort = 'http';
  await expect(validate(deployment)).rejects.toThrow();
  const { spec, ...without } = structuredClone(named('NetworkPolicy', 'deny-all'));
  await expect(validate({ ...without, spec: { ...spec, ingress: 'none' } })).rejects.toThrow();
});

test.each(LISTENING_PROCESSES)('%s has what a container of it needs to be run and stopped without loss', (name) => {
  const { spec } = named('Deployment', name).spec.template as { spec: KubernetesObject['spec'] };
  const [container] = spec.containers;
  expect(container.resources.requests).toEqual(container.resources.limits);
  expect(container.resources.limits.memory).toBe(`${NANO_BYTES / 2 ** 20}Mi`);
  expect(
    [container.startupProbe, container.livenessProbe, container.readinessProbe].map((probe) => probe.httpGet.path),
  ).toEqual(['/startedz', '/livez', '/readyz']);
  const lameDuckMs = Number(named('ConfigMap', 'tardigrade').data?.['LAME_DUCK_MS']);
  const preStopMs = Number(container.lifecycle.preStop.exec.command[1]) * 1_000;
  expect(spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(preStopMs + lameDuckMs + STOP_MS);
  // The balancer must have seen /readyz say no, twice, before the door closes.
  const { periodSeconds, failureThreshold } = container.readinessProbe;
  expect(preStopMs + lameDuckMs).toBeGreaterThan(periodSeconds * failureThreshold * 1_000);
  expect(spec.securityContext.runAsNonRoot).toBe(true);
  expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
  for (const kind of ['Service', 'PodDisruptionBudget', 'HorizontalPodAutoscaler'])
    expect(named(kind, name)).toBeDefined();
});

test.each(SIZES)('in $name all processes at their most fit the connections of the servers', (size) => {
  const objects = sized(size.name);
  const { data } = named('ConfigMap', 'tardigrade', objects);
  for (const name of LISTENING_PROCESSES) {
    const { spec } = named('HorizontalPodAutoscaler', name, objects);
    expect(data?.[`${name.toUpperCase()}_INSTANCES`]).toBe(String(spec.minReplicas));
  }
  const { parameters } = named('Cluster', 'postgres', objects).spec.postgresql;
  const server = Number(parameters.max_connections);
  const pooler = objects.find(({ kind }) => kind === 'Pooler')?.spec;
  if (pooler === undefined) {
    expect(server - CONNECTIONS_RESERVED).toBeGreaterThanOrEqual(connectionsOf(size.instances) - CONNECTIONS_RESERVED);
    expect(data).toMatchObject({ DATABASE_HOST: 'postgres-rw', DATABASE_REPLICA_HOST: 'postgres-ro' });
  } else {
    const { default_pool_size, max_client_conn } = pooler.pgbouncer.parameters;
    expect(server).toBeGreaterThan(pooler.instances * Number(default_pool_size));
    expect(Number(max_client_conn)).toBeGreaterThanOrEqual(connectionsOf(size.instances));
    expect(data).toMatchObject({ DATABASE_HOST: 'pooler-rw', DATABASE_REPLICA_HOST: 'pooler-ro' });
  }
});

test('a failover loses nothing that was acknowledged: a replica has each commit, and there are two to choose from', () => {
  for (const { name } of SIZES) {
    const { spec } = named('Cluster', 'postgres', sized(name));
    expect(spec.postgresql.synchronous).toEqual({ method: 'any', number: 1, dataDurability: 'required' });
    expect(spec.instances).toBeGreaterThanOrEqual(3);
  }
});

test('the role that processes log in as takes the others’ rights, inherits none, and reads statistics without taking any', () => {
  for (const { name } of SIZES) {
    const { bootstrap, managed } = named('Cluster', 'postgres', sized(name)).spec;
    const statements: string[] = bootstrap.initdb.postInitApplicationSQL;
    expect(statements).toContain('grant pg_read_all_stats to tardigrade_worker with inherit true');
    expect(statements.filter((one) => one.includes('inherit true'))).toHaveLength(1);
    expect(statements).toContain(
      'create role tardigrade_worker login noinherit in role tardigrade_tenant, tardigrade_system',
    );
    // A membership that is not named here the operator would take away again.
    const [worker] = managed.roles;
    expect(worker).toMatchObject({ name: 'tardigrade_worker', inherit: false });
    expect(worker.inRoles.toSorted()).toEqual(
      ['pg_read_all_stats', 'tardigrade_system', 'tardigrade_tenant'].toSorted(),
    );
  }
});

test('every reference leads to something: secrets, settings, services, accounts', () => {
  const text = JSON.stringify(everything);
  const secrets = new Set([
    ...[...text.matchAll(/"secretKeyRef":\{"name":"([^"]+)"/g)].map(([, name]) => name),
    ...[...text.matchAll(/"secretRef":\{"name":"([^"]+)"/g)].map(([, name]) => name),
    ...[...text.matchAll(/"passwordSecret":\{"name":"([^"]+)"/g)].map(([, name]) => name),
  ]);
  expect([...secrets].toSorted()).toEqual(SECRETS.toSorted());
  for (const [, name = ''] of text.matchAll(/"(?:configMapRef|configMap)":\{"name":"([^"]+)"/g))
    expect(named('ConfigMap', name), name).toBeDefined();
  for (const { kind, spec } of everything.filter(({ kind }) => kind === 'Service')) {
    const matches = everything.filter(
      (one) =>
        one.spec?.template?.metadata?.labels?.['app.kubernetes.io/name'] === spec.selector['app.kubernetes.io/name'],
    );
    expect(matches.length, `${kind} ${JSON.stringify(spec.selector)}`).toBe(1);
  }
  for (const route of everything.filter(({ kind }) => kind === 'HTTPRoute'))
    for (const { name, port } of route.spec.rules[0].backendRefs)
      expect(named('Service', name).spec.ports.map((one: { port: number }) => one.port)).toContain(port);
});

test('the script applies every object in one of its steps', () => {
  const script = readFileSync('deploy/k8s/apply.sh', 'utf8');
  const applied = new Set(
    [...script.matchAll(/^apply_named '?([^'\n]+)'?$/gm)].flatMap(([, names = '']) => names.split(', ')),
  );
  const names = new Set(everything.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/name'] ?? 'none'));
  expect([...names].filter((name) => !applied.has(name))).toEqual([]);
});

test('HAProxy knows the instances of Valkey by complete names: it searches no domains', () => {
  const settings = String(named('ConfigMap', 'valkey-primary').data?.['haproxy.cfg']);
  const names = [...settings.matchAll(/^ {2}server \S+ (\S+)/gm)].map(([, name]) => name);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: HAProxy's own variable
  const complete = (nth: number) => `"valkey-${nth}.valkey.${'${NAMESPACE}'}.svc.cluster.local:6379"`;
  expect(names).toEqual([complete(0), complete(1), complete(2)]);
});

describe('with commands that answer what the test wants', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-kubernetes-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const command = (name: string, script: string) =>
    writeFileSync(path.join(folder, name), `#!/usr/bin/env bash\n${script}\n`, { mode: 0o755 });
  const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    spawnSync('bash', args, {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${folder}:${process.env['PATH']}`, CALLS: path.join(folder, 'calls'), ...env },
    });

  test.each([
    {
      says: 'an instance that starts again follows the one chosen meanwhile',
      answers: 'valkey-1',
      follows: 'valkey-1.valkey',
    },
    { says: 'where no sentinel answers, the very first instance is the primary', answers: 'none', follows: undefined },
  ])('$says', ({ answers, follows }) => {
    // Its own sentinel does not run yet.
    command('valkey-cli', `[ "$2" = ${answers}.valkey ] && printf '%s\\n' valkey-1.valkey 6379`);
    const script = String(named('ConfigMap', 'valkey-scripts').data?.['prepare.sh']);
    writeFileSync(path.join(folder, 'prepare.sh'), script.replaceAll('/data/', `${folder}/`));
    const { status, stderr } = run([path.join(folder, 'prepare.sh')], {
      HOSTNAME: 'valkey-0',
      VALKEY_PASSWORD: 'secret',
    });
    expect([status, stderr]).toEqual([0, '']);
    const settings = readFileSync(path.join(folder, 'valkey.conf'), 'utf8');
    expect(/^replicaof (\S+) 6379$/m.exec(settings)?.[1]).toBe(follows);
    expect(readFileSync(path.join(folder, 'sentinel.conf'), 'utf8')).toContain(
      `sentinel monitor tardigrade ${follows ?? 'valkey-0.valkey'} 6379 2`,
    );
  });

  test.runIf(HAS_KUBECTL)('the overlay that the docs show leaves no address that is only for tests', () => {
    const shown =
      /^```yaml\n# deploy\/acme.*?\n(.*?)^```$/ms.exec(readFileSync('docs/kubernetes.md', 'utf8'))?.[1] ?? '';
    const acme = path.join(folder, 'acme');
    mkdirSync(acme);
    writeFileSync(path.join(acme, 'kustomization.yaml'), shown);
    cpSync('deploy/k8s', path.join(folder, 'k8s'), { recursive: true });
    const { stdout, stderr } = spawnSync('kubectl', ['kustomize', acme], { encoding: 'utf8' });
    expect(stderr).toBe('');
    const label = 'tardigrade.test/may-reach';
    expect(stdout.split('\n').filter((line) => line.includes('.test') && !line.includes(label))).toEqual([]);
    expect(objectsIn(stdout)).toHaveLength(baseObjects.length + sized('small').length);
  });

  /** kubectl, of which only the state of the Job matters: a word for each time that it is asked. */
  function applyWhile(states: readonly string[]) {
    command('sleep', 'exit 0');
    command(
      'kubectl',
      `echo "$*" >> "$CALLS"
      [[ "$*" == get*job/migrate* ]] || exit 0
      states=(${states.map((state) => `'${state}'`).join(' ')})
      echo "\${states[$(grep -c '^get .*job/migrate' "$CALLS") - 1]}"`,
    );
    const result = run(['deploy/k8s/apply.sh', 'small', 'tardigrade:1']);
    return { ...result, calls: readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n') };
  }

  test('the processes are rolled out when the migration has finished', () => {
    const { status, calls } = applyWhile(['', '', 'SuccessCriteriaMet', 'SuccessCriteriaMet Complete']);
    expect(status).toBe(0);
    expect(calls.findIndex((call) => call.includes('(api, chat, mailer)'))).toBeGreaterThan(
      calls.findLastIndex((call) => call.includes('job/migrate')),
    );
    expect(calls.filter((call) => call.startsWith('rollout status'))).toHaveLength(3);
  });

  test('a migration that failed ends the script at once, and the old processes go on', () => {
    const { status, stderr, calls } = applyWhile(['', 'FailureTarget', 'FailureTarget Failed']);
    expect(status).toBe(1);
    expect(stderr).toContain('The migration has not finished');
    expect(calls.at(-1)).toMatch(/^logs /);
    expect(calls.filter((call) => call.includes('(api, chat, mailer)'))).toEqual([]);
  });
});

test.runIf(HAS_KUBECTL).each(SIZES)('kustomize builds $name, with every object once', ({ name }) => {
  const { stdout, stderr, status } = spawnSync('kubectl', ['kustomize', `deploy/k8s/overlays/${name}`], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const built = objectsIn(stdout);
  expect(built.length).toBe(baseObjects.length + sized(name).length);
  expect(new Set(built.map((one) => `${one.kind} ${one.metadata.name}`)).size).toBe(built.length);
});

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { kubernetesFiles } from '../../scripts/generate-kubernetes.ts';
import { SIZES } from '../../scripts/kubernetes/sizes.ts';
import { type KubernetesServer, MISSING, startKubernetes } from '../kubernetes-server.ts';

/** Of the newest Kubernetes whose whole source is in Debian, 1.20; the fields that are used here are the same. */
const BEFORE = { 'autoscaling/v2': 'autoscaling/v2beta2', 'policy/v1': 'policy/v1beta1' };

if (MISSING.length > 0)
  process.stderr.write(
    `Skipped: the manifests meet no API server (not found: ${MISSING.join(', ')}; KUBE_APISERVER and ETCD name them).\n`,
  );

describe.skipIf(MISSING.length > 0)('a real API server', () => {
  let server: KubernetesServer;
  let served: string[];
  beforeAll(async () => {
    server = await startKubernetes();
    served = server.kubectl(['api-versions']).stdout.trim().split('\n');
    expectAccepted(server.kubectl(['apply', '--server-side', '--filename=-'], await openDefinitions(served)));
    expectAccepted(server.kubectl(['wait', '--for=condition=Established', 'customresourcedefinition', '--all']));
    for (const args of namespaceCommands()) expectAccepted(server.kubectl(args));
  });
  afterAll(() => server?.stop());

  // In this order, one after the other: a deployment that grows must be able to go from one to the other, and back.
  test.each([...SIZES, ...SIZES])('accepts the overlay $name without a warning', ({ name }) => {
    const { stdout } = server.kubectl(['kustomize', `deploy/k8s/overlays/${name}`]);
    const applied = server.kubectl(['apply', '--server-side', '--filename=-'], asServed(stdout, served));
    expectAccepted(applied);
    expect(applied.stdout.trim().split('\n')).toHaveLength(parseAllDocuments(stdout).length);
  });

  test.each(readdirSync('deploy/k8s/rules'))('accepts the rules in %s without a warning', (file) => {
    const text = readFileSync(path.join('deploy/k8s/rules', file), 'utf8');
    expectAccepted(server.kubectl(['apply', '--server-side', '--namespace=tardigrade', '--filename=-'], text));
  });

  test('refuses what only a server knows to be wrong', () => {
    const { stdout } = server.kubectl(['kustomize', 'deploy/k8s/overlays/small']);
    const wrong = asServed(stdout, served).replace('maxSurge: 1', 'maxSurge: 0');
    const { status, stderr } = server.kubectl(['apply', '--server-side', '--filename=-'], wrong);
    expect(status).not.toBe(0);
    expect(stderr).toContain('may not be 0 when `maxSurge` is 0');
  });
});

function expectAccepted({ status, stderr }: { status: number | null; stderr: string }): void {
  expect(stderr).toBe('');
  expect(status).toBe(0);
}

/** The commands of apply.sh that make the namespace, with what it says about pods in it. */
function namespaceCommands(): string[][] {
  const script = readFileSync('deploy/k8s/apply.sh', 'utf8');
  const label = /^kubectl (label .*)$/m.exec(script)?.[1];
  if (label === undefined) throw new Error('apply.sh does not label the namespace');
  return [['create', 'namespace', 'tardigrade'], label.split(' ')];
}

function asServed(text: string, served: readonly string[]): string {
  return Object.entries(BEFORE).reduce(
    (all, [now, before]) =>
      served.includes(now) ? all : all.replaceAll(`apiVersion: ${now}\n`, `apiVersion: ${before}\n`),
    text,
  );
}

/** For the kinds that come with operators. They let every field pass: kubernetes.test.ts holds those to their schemas. */
async function openDefinitions(served: readonly string[]): Promise<string> {
  const known = new Set([...served, ...Object.keys(BEFORE)]);
  const kinds = new Map<string, object>();
  for (const [file, text] of await kubernetesFiles()) {
    if (file.endsWith('kustomization.yaml') || file.endsWith('prometheus-adapter.yaml')) continue;
    for (const { apiVersion, kind } of parseAllDocuments(text).map((one) => one.toJS()))
      if (!known.has(apiVersion)) kinds.set(`${apiVersion} ${kind}`, openDefinition(apiVersion, kind));
  }
  return [...kinds.values()].map((one) => stringify(one)).join('---\n');
}

function openDefinition(apiVersion: string, kind: string): object {
  const [group = '', name = ''] = apiVersion.split('/');
  const plural = `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      // Groups of *.k8s.io are guarded.
      annotations: { 'api-approved.kubernetes.io': 'unapproved, only for a test' },
    },
    spec: {
      group,
      names: { kind, plural, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      versions: [{ name, served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}

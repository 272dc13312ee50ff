import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IConfigMap, IContainer, IPodSpec, IService, IServiceAccount } from 'kubernetes-models/v1';
import { LISTENING_PROCESSES, type ListeningProcess, PROCESSES } from '../../src/processes.ts';
import { GRACE_SECONDS, LAME_DUCK_MS, PRE_STOP_SECONDS, WORKER_CPU, WORKER_MEMORY } from './sizes.ts';

/** Replaced by kustomize (images:). */
const IMAGE = 'tardigrade';
const SECRET = 'tardigrade';

export function labels(name: string) {
  return { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'tardigrade' };
}

export function workerObjects(): object[] {
  return [
    account(),
    migrateJob(),
    ...LISTENING_PROCESSES.flatMap((name) => [deployment(name), service(name), disruptionBudget(name)]),
  ];
}

/** What differs between deployments and is no secret; the overlay has it. */
export function settings(data: Readonly<Record<string, string>>): IConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'tardigrade', labels: labels('tardigrade') },
    data: {
      NODE_ENV: 'production',
      HOST: '0.0.0.0',
      TRUST_PROXY_HOPS: '1',
      LAME_DUCK_MS: String(LAME_DUCK_MS),
      ...data,
    },
  };
}

function deployment(name: ListeningProcess): IDeployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: labels(name) },
    spec: {
      // No replicas: the overlay's autoscaler decides, and applying this again must not undo that.
      selector: { matchLabels: { 'app.kubernetes.io/name': name } },
      // Never fewer than there were: a new one must be ready first, and it only is on an up-to-date schema.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      minReadySeconds: 5,
      progressDeadlineSeconds: 300,
      template: {
        metadata: { labels: labels(name) },
        spec: {
          serviceAccountName: 'tardigrade',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: GRACE_SECONDS,
          securityContext: POD_SECURITY,
          topologySpreadConstraints: spread(name),
          containers: [
            {
              ...worker(name),
              ports: [{ name: 'http', containerPort: PROCESSES[name].port, protocol: 'TCP' }],
              // Started: it was ready once. Then alive only asks whether the event loop runs: a server that is away is
              // not mended by a restart.
              startupProbe: { httpGet: { path: '/startedz', port: 'http' }, periodSeconds: 2, failureThreshold: 60 },
              livenessProbe: {
                httpGet: { path: '/livez', port: 'http' },
                periodSeconds: 10,
                timeoutSeconds: 5,
                failureThreshold: 3,
              },
              readinessProbe: {
                httpGet: { path: '/readyz', port: 'http' },
                periodSeconds: 2,
                timeoutSeconds: 3,
                failureThreshold: 2,
              },
              // Proxies still send to an address that has just been taken away.
              lifecycle: { preStop: { exec: { command: ['sleep', String(PRE_STOP_SECONDS)] } } },
            },
          ],
        },
      },
    },
  };
}

function worker(name: ListeningProcess | 'migrate'): IContainer {
  const cpu = name === 'migrate' ? '500m' : WORKER_CPU[name];
  return {
    name,
    image: IMAGE,
    args: [name],
    envFrom: [{ configMapRef: { name: 'tardigrade' } }, { secretRef: { name: SECRET } }],
    env: [
      { name: 'WORKER_PASSWORD', valueFrom: { secretKeyRef: { name: 'postgres-worker', key: 'password' } } },
      { name: 'VALKEY_PASSWORD', valueFrom: { secretKeyRef: { name: 'valkey', key: 'password' } } },
      {
        name: 'DATABASE_URL',
        value: 'postgres://tardigrade_worker:$(WORKER_PASSWORD)@$(DATABASE_HOST):5432/tardigrade',
      },
      {
        name: 'DATABASE_REPLICA_URL',
        value: 'postgres://tardigrade_worker:$(WORKER_PASSWORD)@$(DATABASE_REPLICA_HOST):5432/tardigrade',
      },
      { name: 'REDIS_URL', value: 'redis://:$(VALKEY_PASSWORD)@valkey-primary:6379' },
    ],
    resources: { requests: { memory: WORKER_MEMORY, cpu }, limits: { memory: WORKER_MEMORY, cpu } },
    securityContext: CONTAINER_SECURITY,
  };
}

/** deploy/k8s/apply.sh waits for it; Argo CD runs it before everything else. */
function migrateJob(): IJob {
  const container = worker('migrate');
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'migrate',
      labels: labels('migrate'),
      annotations: {
        'argocd.argoproj.io/hook': 'PreSync',
        'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
      },
    },
    spec: {
      backoffLimit: 3,
      activeDeadlineSeconds: 3_600,
      ttlSecondsAfterFinished: 86_400,
      template: {
        metadata: { labels: labels('migrate') },
        spec: {
          restartPolicy: 'Never',
          serviceAccountName: 'tardigrade',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: POD_SECURITY,
          containers: [
            {
              ...container,
              env: [
                ...(container.env ?? []),
                // The owner's, made by the operator; straight to the primary, because migrations hold a session lock.
                { name: 'DATABASE_MIGRATE_URL', valueFrom: { secretKeyRef: { name: 'postgres-app', key: 'uri' } } },
              ],
            },
          ],
        },
      },
    },
  };
}

function service(name: ListeningProcess): IService {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: labels(name) },
    spec: {
      selector: { 'app.kubernetes.io/name': name },
      // The protocol is part of the key by which servers merge these lists: some refuse one without it.
      ports: [{ name: 'http', port: PROCESSES[name].port, protocol: 'TCP', targetPort: 'http' }],
    },
  };
}

function disruptionBudget(name: ListeningProcess): IPodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, labels: labels(name) },
    spec: { maxUnavailable: 1, selector: { matchLabels: { 'app.kubernetes.io/name': name } } },
  };
}

function account(): IServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'tardigrade', labels: labels('tardigrade') },
    automountServiceAccountToken: false,
  };
}

/** Over nodes and zones, so that not all of them go with one; on fewer nodes than instances they run all the same. */
export function spread(name: string): NonNullable<IPodSpec['topologySpreadConstraints']> {
  return ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
  }));
}

/** The user `node` of the image. */
export const POD_SECURITY = {
  runAsNonRoot: true,
  runAsUser: 1000,
  runAsGroup: 1000,
  fsGroup: 1000,
  seccompProfile: { type: 'RuntimeDefault' },
} as const;

export const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

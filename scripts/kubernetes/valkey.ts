import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IConfigMap, IService } from 'kubernetes-models/v1';
import { CONTAINER_SECURITY, labels, POD_SECURITY, spread } from './workers.ts';

const INSTANCES = 3; // a primary, two replicas and three sentinels, of which two must agree
const QUORUM = 2;
const MEMORY = '192Mi';
const MAX_MEMORY = '96mb'; // half of the container: rewriting the append-only file can double what is touched
const DOWN_AFTER_MS = 5_000;
const ASK_SECONDS = 3; // for each sentinel that an instance asks when it starts
const IMAGE = 'valkey/valkey:8-alpine';
const CLUSTER_DOMAIN = 'cluster.local'; // of nearly all clusters; another one is a patch of the ConfigMap `valkey-primary`

/** The queues and reports: a primary that Sentinel chooses, and an address that leads to it. */
export function valkeyObjects(): object[] {
  return [
    scripts(),
    headless(),
    instances(),
    budget('valkey'),
    proxySettings(),
    proxy(),
    primary(),
    budget('valkey-primary'),
  ];
}

/**
 * Each instance asks the sentinels who is primary; the very first one is, when nobody knows. It asks each by its own name:
 * under the name of all of them it would now and then ask itself, whose sentinel does not run yet, and take that for
 * nobody.
 */
function scripts(): IConfigMap {
  const host = (nth: string) => `valkey-${nth}.valkey`;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'valkey-scripts', labels: labels('valkey') },
    data: {
      'prepare.sh': [
        '#!/bin/sh',
        'set -eu',
        'self="$HOSTNAME.valkey"',
        'known=',
        `for sentinel in ${Array.from({ length: INSTANCES }, (_, nth) => host(String(nth))).join(' ')}; do`,
        `  [ -n "$known" ] || known=$(timeout ${ASK_SECONDS} valkey-cli -h "$sentinel" -p 26379 sentinel get-master-addr-by-name tardigrade 2>/dev/null | head -n 1 || true)`,
        'done',
        `primary="\${known:-${host('0')}}"`,
        'cat > /data/valkey.conf <<SETTINGS',
        'dir /data',
        'requirepass $VALKEY_PASSWORD',
        'masterauth $VALKEY_PASSWORD',
        'replica-announce-ip $self',
        'save ""',
        'appendonly yes',
        'appendfsync everysec',
        `maxmemory ${MAX_MEMORY}`,
        'maxmemory-policy noeviction',
        '# A primary that has lost all of its replicas takes no writes that a failover would lose.',
        'min-replicas-to-write 1',
        'min-replicas-max-lag 10',
        'SETTINGS',
        '[ "$primary" = "$self" ] || echo "replicaof $primary 6379" >> /data/valkey.conf',
        'cat > /data/sentinel.conf <<SETTINGS',
        'dir /data',
        'port 26379',
        'sentinel resolve-hostnames yes',
        'sentinel announce-hostnames yes',
        'sentinel announce-ip $self',
        `sentinel monitor tardigrade $primary 6379 ${QUORUM}`,
        'sentinel auth-pass tardigrade $VALKEY_PASSWORD',
        `sentinel down-after-milliseconds tardigrade ${DOWN_AFTER_MS}`,
        'sentinel failover-timeout tardigrade 30000',
        'SETTINGS',
        '',
      ].join('\n'),
    },
  };
}

function instances(): IStatefulSet {
  const password = { name: 'VALKEY_PASSWORD', valueFrom: { secretKeyRef: { name: 'valkey', key: 'password' } } };
  const data = { name: 'data', mountPath: '/data' };
  const own = (memory: string, cpu: string) => ({
    image: IMAGE,
    env: [password],
    volumeMounts: [data],
    securityContext: CONTAINER_SECURITY,
    resources: { requests: { memory, cpu }, limits: { memory, cpu } },
  });
  const answers = (port: number) => ({
    exec: { command: ['sh', '-c', `REDISCLI_AUTH="$VALKEY_PASSWORD" valkey-cli -p ${port} ping | grep -q PONG`] },
    periodSeconds: 5,
    timeoutSeconds: 3,
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'valkey', labels: labels('valkey') },
    spec: {
      serviceName: 'valkey',
      replicas: INSTANCES,
      podManagementPolicy: 'OrderedReady',
      selector: { matchLabels: { 'app.kubernetes.io/name': 'valkey' } },
      template: {
        metadata: { labels: labels('valkey') },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 30,
          securityContext: { ...POD_SECURITY, runAsUser: 999, runAsGroup: 999, fsGroup: 999 },
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                {
                  topologyKey: 'kubernetes.io/hostname',
                  labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'valkey' } },
                },
              ],
            },
          },
          initContainers: [
            {
              ...own('32Mi', '100m'),
              name: 'prepare',
              command: ['sh', '/scripts/prepare.sh'],
              volumeMounts: [data, { name: 'scripts', mountPath: '/scripts' }],
            },
          ],
          containers: [
            {
              ...own(MEMORY, '250m'),
              name: 'valkey',
              command: ['valkey-server', '/data/valkey.conf'],
              ports: [{ name: 'valkey', containerPort: 6379, protocol: 'TCP' }],
              readinessProbe: answers(6379),
              livenessProbe: { ...answers(6379), failureThreshold: 6 },
            },
            {
              ...own('32Mi', '100m'),
              name: 'sentinel',
              command: ['valkey-sentinel', '/data/sentinel.conf'],
              ports: [{ name: 'sentinel', containerPort: 26379, protocol: 'TCP' }],
              livenessProbe: { ...answers(26379), failureThreshold: 6 },
            },
          ],
          volumes: [{ name: 'scripts', configMap: { name: 'valkey-scripts' } }],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  };
}

/** The names of the instances, also before they are ready: a sentinel must find those that start. */
function headless(): IService {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'valkey', labels: labels('valkey') },
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: { 'app.kubernetes.io/name': 'valkey' },
      ports: [
        { name: 'valkey', port: 6379, protocol: 'TCP' },
        { name: 'sentinel', port: 26379, protocol: 'TCP' },
      ],
    },
  };
}

/**
 * Only the instance that says of itself that it is the primary gets connections; those to another one are ended. Their names
 * are complete: HAProxy resolves by itself, without the domains that are searched for everybody else.
 */
function proxySettings(): IConfigMap {
  const servers = Array.from(
    { length: INSTANCES },
    (_, nth) =>
      `  server valkey-${nth} "valkey-${nth}.valkey.\${NAMESPACE}.svc.${CLUSTER_DOMAIN}:6379" check inter 1s fall 2 rise 1 on-marked-down shutdown-sessions resolvers dns init-addr last,libc,none`,
  );
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'valkey-primary', labels: labels('valkey-primary') },
    data: {
      'haproxy.cfg': [
        'global',
        '  maxconn 2000',
        'defaults',
        '  mode tcp',
        '  timeout connect 2s',
        '  timeout client 1h',
        '  timeout server 1h',
        '  timeout check 2s',
        'resolvers dns',
        '  parse-resolv-conf',
        '  hold valid 2s',
        'listen primary',
        '  bind :6379',
        '  option tcp-check',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: HAProxy's own variable
        '  tcp-check send "AUTH ${VALKEY_PASSWORD}"\\r\\n',
        '  tcp-check expect string +OK',
        '  tcp-check send info\\ replication\\r\\n',
        '  tcp-check expect string role:master',
        '  tcp-check send quit\\r\\n',
        '  tcp-check expect string +OK',
        ...servers,
        'frontend health',
        '  mode http',
        '  bind :8404',
        '  http-request return status 200 if { path /health }',
        '',
      ].join('\n'),
    },
  };
}

function proxy(): IDeployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'valkey-primary', labels: labels('valkey-primary') },
    spec: {
      replicas: 2,
      selector: { matchLabels: { 'app.kubernetes.io/name': 'valkey-primary' } },
      template: {
        metadata: { labels: labels('valkey-primary') },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { ...POD_SECURITY, runAsUser: 99, runAsGroup: 99, fsGroup: 99 },
          topologySpreadConstraints: spread('valkey-primary'),
          containers: [
            {
              name: 'haproxy',
              image: 'haproxy:3.2-alpine',
              env: [
                { name: 'VALKEY_PASSWORD', valueFrom: { secretKeyRef: { name: 'valkey', key: 'password' } } },
                { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
              ],
              ports: [{ name: 'valkey', containerPort: 6379, protocol: 'TCP' }],
              readinessProbe: { httpGet: { path: '/health', port: 8404 }, periodSeconds: 5 },
              livenessProbe: { httpGet: { path: '/health', port: 8404 }, periodSeconds: 10 },
              resources: { requests: { memory: '64Mi', cpu: '100m' }, limits: { memory: '64Mi', cpu: '100m' } },
              securityContext: CONTAINER_SECURITY,
              volumeMounts: [{ name: 'settings', mountPath: '/usr/local/etc/haproxy' }],
            },
          ],
          volumes: [{ name: 'settings', configMap: { name: 'valkey-primary' } }],
        },
      },
    },
  };
}

function primary(): IService {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'valkey-primary', labels: labels('valkey-primary') },
    spec: {
      selector: { 'app.kubernetes.io/name': 'valkey-primary' },
      ports: [{ name: 'valkey', port: 6379, protocol: 'TCP' }],
    },
  };
}

function budget(name: string): IPodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, labels: labels(name) },
    spec: { maxUnavailable: 1, selector: { matchLabels: { 'app.kubernetes.io/name': name } } },
  };
}

/** The dashboards: one for the whole, and one for each kind of process. Thresholds are those of the alerts. */
import type { AlertRule } from '../../src/process/alert-before-full.ts';
import { SERVING_PROCESSES, type ServingProcess } from '../../src/processes.ts';
import { type Dashboard, type Panel, type Row, toGrafana } from './panel.ts';

const BY_INSTANCE = '{{process}} {{instance}}';

/** By name, without its ending. */
export function dashboardFiles(rules: readonly AlertRule[]): Map<string, string> {
  const all = [whole(rules), ...SERVING_PROCESSES.map((name) => ofProcess(name, rules))];
  return new Map(all.map((dashboard) => [dashboard.uid, `${JSON.stringify(toGrafana(dashboard), null, 2)}\n`]));
}

function whole(rules: readonly AlertRule[]): Dashboard {
  return {
    uid: 'tardigrade',
    title: 'Tardigrade: the whole',
    says: [
      '### At 3 in the morning',
      '1. **The list on the left.** Red is now, orange can wait until the morning. Its rule says what to look at (`deploy/prometheus/rules`).',
      '2. **Purple lines** are starts: did it begin with a deploy?',
      '3. **Rows from the top**: are people refused, is a server away, is something full.',
      '4. `npm run doctor` on the machine; the operations page shows every process.',
    ].join('\n'),
    rows: [
      {
        title: 'Are people served?',
        panels: [
          panel('Processes that run', 'Each line is a kind; a line that falls is a process that is gone.', 'short', [
            // Not `up`: that is Prometheus's own metric, and has no label that says which kind of process it asked.
            { expr: 'count by (process) (process_start_time_seconds{job="tardigrade"})', legend: '{{process}}' },
          ]),
          panel(
            'Requests refused',
            'Normal is none. Otherwise too many are in flight: look at event loop, pools, CPU.',
            'reqps',
            [
              { expr: 'sum by (process) (rate(tardigrade_requests_shed_total[5m]))', legend: '{{process}} requests' },
              { expr: 'sum by (process) (rate(tardigrade_sockets_refused_total[5m]))', legend: '{{process}} sockets' },
            ],
          ),
          panel(
            'Event-loop delay, p99',
            'Normal is below 30 ms. Everything in that process waits this long.',
            's',
            [{ expr: 'max by (process) (tardigrade_event_loop_delay_seconds)', legend: '{{process}}' }],
            thresholdOf(rules, 'EventLoopDelayed'),
          ),
        ],
      },
      {
        title: 'Is something full?',
        panels: [
          share(rules, 'MemoryNearLimit', 'Memory of its limit', 'At 100 % the kernel kills it.', 'max by (process)'),
          share(
            rules,
            'ConnectionsNearMax',
            'Connections of max_connections',
            'npm run doctor shows whose they are.',
            'max',
          ),
          share(rules, 'RedisFilling', 'Redis of maxmemory', 'When it is full no job is taken.', 'max'),
          share(rules, 'SlotGrowing', 'Log kept for a replica', 'Beyond 100 % the replica must be built anew.', 'max'),
          plain(rules, 'DiskFilling', 'Disk that is free', 'PostgreSQL stops at 0.', 'min', 'percentunit'),
          share(
            rules,
            'CpuThrottled',
            'CPU periods that were throttled',
            'It wants more CPU than it is given.',
            'max by (process)',
          ),
        ],
      },
      {
        title: 'Servers',
        panels: [
          plain(
            rules,
            'ReplicaLagging',
            'Replica behind',
            'Reads of own writes go to the primary meanwhile.',
            'max',
            's',
          ),
          panel('Away', '1: the mailers cannot reach it, or the replica is out of use.', 'short', [
            { expr: 'max(tardigrade_database_unreachable)', legend: 'primary' },
            { expr: 'max(tardigrade_redis_unreachable)', legend: 'Redis' },
            { expr: 'max(tardigrade_replica_lost)', legend: 'replica' },
          ]),
          panel('Statements', 'By server. When the replica is lost all go to the primary.', 'reqps', [
            { expr: 'sum(rate(tardigrade_queries_primary_total[5m]))', legend: 'primary' },
            { expr: 'sum(rate(tardigrade_queries_replica_total[5m]))', legend: 'replica' },
          ]),
          panel('Transactions that were run again', 'A few are normal. Why is in the log.', 'reqps', [
            { expr: 'sum by (process) (rate(tardigrade_transaction_retries_total[5m]))', legend: '{{process}}' },
            { expr: 'max(rate(tardigrade_database_deadlocks_total[5m]))', legend: 'deadlocks' },
          ]),
          plain(rules, 'BackupOld', 'Since the last backup', 'One a day is normal.', 'min', 's'),
          plain(
            rules,
            'CertificateExpiring',
            'Until the first certificate ends',
            'It is renewed 30 days before.',
            'min',
            's',
          ),
        ],
      },
      {
        title: 'Background work',
        panels: [
          plain(rules, 'OutboxOld', 'Oldest event in the outbox', 'Normal is below a second.', 'max', 's'),
          plain(rules, 'QueueOld', 'How long the next job waits', 'Normal is below a second.', 'max', 's'),
          panel('Mails', 'In flight, and whether the mail server takes none.', 'short', [
            { expr: 'sum(tardigrade_mails_in_flight)', legend: 'in flight' },
            { expr: 'max(tardigrade_mails_held)', legend: 'held' },
          ]),
          panel('Deaths in the last hour', 'None is normal. The log of the mailer names each.', 'short', [
            { expr: 'max(increase(tardigrade_oom_kills_total[1h]))', legend: 'killed for memory' },
            { expr: 'max(increase(tardigrade_crashes_total[1h]))', legend: 'other' },
          ]),
        ],
      },
    ],
  };
}

function ofProcess(name: ServingProcess, rules: readonly AlertRule[]): Dashboard {
  const only = (metric: string) => `${metric}{process="${name}"}`;
  return {
    uid: `tardigrade-${name}`,
    title: `Tardigrade: ${name}`,
    process: name,
    says: `### ${name}\nEach line is one instance. One line unlike the others: restart that instance. All lines alike: the load, a server or a deploy (purple lines).`,
    rows: [
      {
        title: 'The process itself',
        panels: [
          panel(
            'Memory of its limit',
            'At 100 % the kernel kills it. A restart gives time.',
            'percentunit',
            [
              {
                expr: `${only('tardigrade_memory_used_bytes')} / ${only('tardigrade_memory_limit_bytes')}`,
                legend: BY_INSTANCE,
              },
            ],
            thresholdOf(rules, 'MemoryNearLimit'),
          ),
          panel('Heap', 'A saw-tooth is normal; its lower edge must not climb.', 'bytes', [
            { expr: only('nodejs_heap_size_used_bytes'), legend: BY_INSTANCE },
          ]),
          panel(
            'Event-loop delay, p99',
            'Normal is below 30 ms.',
            's',
            [{ expr: only('tardigrade_event_loop_delay_seconds'), legend: BY_INSTANCE }],
            thresholdOf(rules, 'EventLoopDelayed'),
          ),
          panel('CPU, cores', 'Near its quota it is throttled.', 'short', [
            { expr: `rate(${only('process_cpu_seconds_total')}[5m])`, legend: BY_INSTANCE },
          ]),
          panel(
            'CPU periods throttled',
            'Normal is 0.',
            'percentunit',
            [
              {
                expr: `rate(${only('tardigrade_cpu_periods_throttled_total')}[5m]) / rate(${only('tardigrade_cpu_periods_total')}[5m])`,
                legend: BY_INSTANCE,
              },
            ],
            thresholdOf(rules, 'CpuThrottled'),
          ),
        ],
      },
      {
        title: 'Connections to PostgreSQL',
        panels: [
          panel('In use, primary', 'At its most, callers wait.', 'short', [
            { expr: only('tardigrade_pool_primary_used'), legend: BY_INSTANCE },
            { expr: only('tardigrade_pool_primary_max'), legend: `${BY_INSTANCE} allowed` },
          ]),
          panel(
            'Waiting for one',
            'Normal is 0.',
            'short',
            [
              { expr: only('tardigrade_pool_primary_waiting'), legend: `${BY_INSTANCE} primary` },
              ...(name === 'chat'
                ? []
                : [{ expr: only('tardigrade_pool_replica_waiting'), legend: `${BY_INSTANCE} replica` }]),
            ],
            thresholdOf(rules, 'PoolWaiting'),
          ),
          panel('Statements', '', 'reqps', [
            { expr: `rate(${only('tardigrade_queries_primary_total')}[5m])`, legend: `${BY_INSTANCE} primary` },
            ...(name === 'chat'
              ? []
              : [{ expr: `rate(${only('tardigrade_queries_replica_total')}[5m])`, legend: `${BY_INSTANCE} replica` }]),
          ]),
        ],
      },
      ...(WORK[name] ?? []).map((row) => row(only)),
    ],
  };
}

type Only = (metric: string) => string;

const HTTP = (only: Only): Row => ({
  title: 'HTTP',
  panels: [
    panel('Requests in flight', 'Even over the instances.', 'short', [
      { expr: only('tardigrade_requests_in_flight'), legend: BY_INSTANCE },
      { expr: only('tardigrade_uploads_in_flight'), legend: `${BY_INSTANCE} uploads` },
    ]),
    panel('Requests refused', 'Normal is none.', 'reqps', [
      { expr: `rate(${only('tardigrade_requests_shed_total')}[5m])`, legend: BY_INSTANCE },
    ]),
    panel('Sign-ins waiting', 'For a password hash: two at a time.', 'short', [
      { expr: only('tardigrade_password_hashes_waiting'), legend: BY_INSTANCE },
    ]),
  ],
});

const SOCKETS = (only: Only): Row => ({
  title: 'WebSockets',
  panels: [
    panel('Open', 'A step down on all is a deploy.', 'short', [
      { expr: only('tardigrade_sockets'), legend: BY_INSTANCE },
      { expr: only('tardigrade_sockets_strangers'), legend: `${BY_INSTANCE} not welcomed yet` },
    ]),
    panel('Refused', 'Normal is none.', 'reqps', [
      { expr: `rate(${only('tardigrade_sockets_refused_total')}[5m])`, legend: BY_INSTANCE },
    ]),
  ],
});

const MAIL = (only: Only): Row => ({
  title: 'Mail',
  panels: [
    panel('In flight', 'At its most there is much to send, or the mail server is slow.', 'short', [
      { expr: only('tardigrade_mails_in_flight'), legend: BY_INSTANCE },
    ]),
    panel('How long the mail server takes over a mail', 'Normal is below two seconds.', 's', [
      { expr: only('tardigrade_mail_answer_seconds'), legend: BY_INSTANCE },
    ]),
    panel('Rate that the provider lets us have', 'It falls after a refusal and grows back.', 'reqps', [
      { expr: only('tardigrade_mails_per_second_max'), legend: BY_INSTANCE },
    ]),
    panel('Held', '1: the mail server takes no mail from us.', 'short', [
      { expr: only('tardigrade_mails_held'), legend: BY_INSTANCE },
    ]),
  ],
});

const WORK: Readonly<Partial<Record<ServingProcess, readonly ((only: Only) => Row)[]>>> = {
  api: [HTTP],
  chat: [SOCKETS],
  mailer: [MAIL],
  all: [HTTP, SOCKETS, MAIL],
};

function panel(
  title: string,
  help: string,
  unit: Panel['unit'],
  queries: Panel['queries'],
  threshold?: Panel['threshold'],
): Panel {
  return { title, help, unit, queries, ...(threshold === undefined ? {} : { threshold }) };
}

/** The value of a rule that divides one metric by another, as one line for the whole or for each kind of process. */
function share(rules: readonly AlertRule[], rule: string, title: string, help: string, over: string): Panel {
  const { metric, per = '', recent } = ruleNamed(rules, rule);
  const of = (name: string) => (recent ? `rate(tardigrade_${name}_total[5m])` : `tardigrade_${name}`);
  const legend = over.includes('by') ? '{{process}}' : title;
  return panel(
    title,
    help,
    'percentunit',
    [{ expr: `${over} (${of(metric)} / ${of(per)})`, legend }],
    thresholdOf(rules, rule),
  );
}

function plain(
  rules: readonly AlertRule[],
  rule: string,
  title: string,
  help: string,
  over: string,
  unit: Panel['unit'],
): Panel {
  const { metric } = ruleNamed(rules, rule);
  return panel(title, help, unit, [{ expr: `${over}(tardigrade_${metric})`, legend: title }], thresholdOf(rules, rule));
}

function thresholdOf(rules: readonly AlertRule[], name: string): NonNullable<Panel['threshold']> {
  const { above, below } = ruleNamed(rules, name);
  return above === undefined ? { value: below ?? 0, isMin: true } : { value: above };
}

function ruleNamed(rules: readonly AlertRule[], name: string): AlertRule {
  const rule = rules.find((one) => one.name === name);
  if (rule === undefined) throw new Error(`There is no alert ${name}`);
  return rule;
}

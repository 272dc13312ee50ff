import { StartError } from './errors.ts';
import { REQUESTS_PER_MINUTE_MAX } from './limits.ts';

/** Everything that differs between two deployments of the same code. Frozen; read once per process. */
export interface Config {
  readonly databaseUrl: string;
  /** The owner of the tables, for migrations; the processes themselves need not own anything. */
  readonly databaseMigrateUrl: string;
  /** Without a replica, reads go to the primary. */
  readonly databaseReplicaUrl: string | undefined;
  readonly redisUrl: string;
  readonly smtpUrl: string;
  /** Signs personal links and page cursors. */
  readonly secretKey: string;
  readonly host: string;
  readonly apiPort: number;
  readonly chatPort: number;
  readonly mailerPort: number;
  /** Where people reach the dashboard, without a slash at the end. */
  readonly apiUrl: string;
  /** Where people reach the chat, without a slash at the end. */
  readonly chatUrl: string;
  readonly mailFrom: string;
  /** The provider's sending rate; the mailer stays below it. */
  readonly mailPerSecond: number;
  readonly logLevel: LogLevel;
  /** One signed-in user's requests to one api process; more are told to come back. */
  readonly requestsPerMinute: number;
  /** How many of each process the whole deployment runs: for the connection budget. */
  readonly instances: { readonly api: number; readonly mailer: number; readonly chat: number; readonly all: number };
  /** Proxies in front whose X-Forwarded-For is believed. */
  readonly trustProxyHops: number;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

type Environment = Record<string, string | undefined>;

/** Reads the environment; throws one StartError that names every missing or absurd variable. */
export function loadConfig(environment: Environment = process.env): Config {
  const faults: string[] = [];
  const read = createReader(environment, faults);
  const databaseUrl = read.url('DATABASE_URL', ['postgres:', 'postgresql:']);
  const config: Config = {
    databaseUrl,
    databaseMigrateUrl: read.optionalUrl('DATABASE_MIGRATE_URL', ['postgres:', 'postgresql:']) ?? databaseUrl,
    databaseReplicaUrl: read.optionalUrl('DATABASE_REPLICA_URL', ['postgres:', 'postgresql:']),
    redisUrl: read.url('REDIS_URL', ['redis:', 'rediss:']),
    smtpUrl: read.url('SMTP_URL', ['smtp:', 'smtps:']),
    secretKey: read.secret('SECRET_KEY', 32),
    host: read.text('HOST', '127.0.0.1'),
    apiPort: read.integer('API_PORT', { default: 3000, min: 1, max: 65_535 }),
    chatPort: read.integer('CHAT_PORT', { default: 3001, min: 1, max: 65_535 }),
    mailerPort: read.integer('MAILER_PORT', { default: 3002, min: 1, max: 65_535 }),
    apiUrl: read.base('API_URL', 'http://127.0.0.1:3000'),
    chatUrl: read.base('CHAT_URL', 'http://127.0.0.1:3001'),
    mailFrom: read.mailbox('MAIL_FROM', 'Tardigrade <hello@tardigrade.test>'),
    mailPerSecond: read.integer('MAIL_PER_SECOND', { default: 500, min: 1, max: 10_000 }),
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    requestsPerMinute: read.integer('REQUESTS_PER_MINUTE', {
      default: REQUESTS_PER_MINUTE_MAX,
      min: 1,
      max: 100_000_000,
    }),
    instances: {
      api: read.integer('API_INSTANCES', { default: 1, min: 0, max: 1_000 }),
      mailer: read.integer('MAILER_INSTANCES', { default: 1, min: 0, max: 1_000 }),
      chat: read.integer('CHAT_INSTANCES', { default: 1, min: 0, max: 1_000 }),
      all: read.integer('ALL_INSTANCES', { default: 0, min: 0, max: 1_000 }),
    },
    trustProxyHops: read.integer('TRUST_PROXY_HOPS', { default: 0, min: 0, max: 10 }),
  };
  if (faults.length > 0) {
    throw new StartError(
      `The environment has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
  }
  return Object.freeze(config);
}

/** Values are never echoed for URLs and secrets: they carry passwords, and this text goes to logs. */
function createReader(environment: Environment, faults: string[]) {
  const raw = (name: string) => environment[name]?.trim() || undefined;

  function url(name: string, schemes: string[]): string {
    const value = raw(name);
    if (value === undefined) {
      faults.push(
        `${name} is missing: set it to a ${schemes[0]}//… address, or run \`npm start\`, which brings its own`,
      );
      return '';
    }
    if (!URL.canParse(value) || !schemes.includes(new URL(value).protocol)) {
      faults.push(`${name} must be an address that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`);
    }
    return value;
  }

  return {
    url,
    optionalUrl: (name: string, schemes: string[]) => (raw(name) === undefined ? undefined : url(name, schemes)),
    secret(name: string, charsMin: number): string {
      const value = raw(name) ?? '';
      if (value === '') {
        faults.push(`${name} is missing: set it to at least ${charsMin} random characters (openssl rand -hex 32)`);
      } else if (value.length < charsMin) {
        faults.push(`${name} has ${value.length} characters; at least ${charsMin} are needed (openssl rand -hex 32)`);
      }
      return value;
    },
    text: (name: string, fallback: string) => raw(name) ?? fallback,
    integer(name: string, range: { default: number; min: number; max: number }): number {
      const value = raw(name) ?? String(range.default);
      const number = Number(value);
      if (!/^\d+$/.test(value) || number < range.min || number > range.max) {
        faults.push(`${name} is ${JSON.stringify(value)}; it must be a whole number from ${range.min} to ${range.max}`);
      }
      return number;
    },
    base(name: string, fallback: string): string {
      const value = raw(name) ?? fallback;
      if (!URL.canParse(value) || !['http:', 'https:'].includes(new URL(value).protocol)) {
        faults.push(`${name} must be an http:// or https:// address`);
      }
      return value.replace(/\/+$/, '');
    },
    mailbox(name: string, fallback: string): string {
      const value = raw(name) ?? fallback;
      // A line break here would let the value write headers of its own into every mail.
      if (/[\r\n]/.test(value) || !/^(?:[^<>@]+<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/.test(value)) {
        faults.push(`${name} must be an address like "Name <name@example.com>"`);
      }
      return value;
    },
    oneOf<T extends string>(name: string, values: readonly T[], fallback: T): T {
      const value = raw(name) ?? fallback;
      if (!values.includes(value as T)) {
        faults.push(`${name} is ${JSON.stringify(value)}; it must be one of ${values.join(', ')}`);
      }
      return value as T;
    },
  };
}

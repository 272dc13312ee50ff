import { StartError } from './errors.ts';
import { REQUESTS_PER_MINUTE_MAX } from './limits.ts';
import { parseMailbox } from './mail-address.ts';
import { PROCESSES, type ServingProcess } from './processes.ts';

/**
 * Every environment variable that a process reads, how it is parsed and what it is for. The README's table of variables
 * and the log redaction are derived from this.
 */
export const VARIABLES = {
  databaseUrl: secret('DATABASE_URL', databaseAddress, 'the primary'),
  databaseReplicaUrl: secret(
    'DATABASE_REPLICA_URL',
    optional(databaseAddress),
    'a streaming replica; without one, reads go to the primary',
  ),
  databaseMigrateUrl: secret(
    'DATABASE_MIGRATE_URL',
    optional(databaseAddress),
    'the owner of the tables, for `migrate` and the seed; without one, `DATABASE_URL`',
  ),
  redisUrl: secret('REDIS_URL', address('redis:', 'rediss:'), 'Redis or Valkey'),
  smtpUrl: secret('SMTP_URL', address('smtp:', 'smtps:'), 'the mail server'),
  secretKey: secret('SECRET_KEY', key(32), 'signs personal links and page cursors; at least 32 characters'),
  host: variable('HOST', text('127.0.0.1'), 'the address to listen on'),
  apiPort: variable('API_PORT', port(PROCESSES.api.port), 'the port of `api`'),
  chatPort: variable('CHAT_PORT', port(PROCESSES.chat.port), 'the port of `chat`'),
  mailerPort: variable('MAILER_PORT', port(PROCESSES.mailer.port), "the port of `mailer`'s health checks"),
  apiUrl: variable('API_URL', base(`http://127.0.0.1:${PROCESSES.api.port}`), 'the public address of the dashboard'),
  chatUrl: variable('CHAT_URL', base(`http://127.0.0.1:${PROCESSES.chat.port}`), 'the public address of the chat'),
  mailFrom: variable('MAIL_FROM', mailbox('Tardigrade <hello@tardigrade.test>'), 'the sender of all mails'),
  mailPerSecond: variable('MAIL_PER_SECOND', integer(500, 1, 10_000), "the mail provider's rate"),
  requestsPerMinute: variable(
    'REQUESTS_PER_MINUTE',
    integer(REQUESTS_PER_MINUTE_MAX, 1, 100_000_000),
    'how many requests one signed-in user can send to one `api`',
  ),
  trustProxyHops: variable(
    'TRUST_PROXY_HOPS',
    integer(0, 0, 10),
    'the number of proxies in front whose `X-Forwarded-For` is trusted',
  ),
  logLevel: variable(
    'LOG_LEVEL',
    oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
    'from `trace` to `silent`',
  ),
} as const;

type Values = { readonly [K in keyof typeof VARIABLES]: ReturnType<(typeof VARIABLES)[K]['read']> };

/** Everything that differs between two deployments of the same code. Frozen; read once per process. */
export interface Config extends Omit<Values, 'databaseMigrateUrl'> {
  readonly databaseMigrateUrl: string;
  /** How many instances of each process the whole deployment runs, for the connection budget. */
  readonly instances: Readonly<Record<ServingProcess, number>>;
}

export type LogLevel = Config['logLevel'];

/** `API_INSTANCES` and its siblings. */
export function instancesVariable(name: ServingProcess): string {
  return `${name.toUpperCase()}_INSTANCES`;
}

/** Reads the environment; throws one StartError that names every missing or invalid variable. */
export function loadConfig(environment: Environment = process.env): Config {
  const faults: string[] = [];
  const read = <T>(name: string, reader: Reader<T>) => reader(environment[name]?.trim() || undefined, name, faults);
  const values = Object.fromEntries(
    Object.entries(VARIABLES).map(([field, variable]) => [
      field,
      read(variable.name, variable.read as Reader<unknown>),
    ]),
  ) as unknown as Values;
  const instances = Object.fromEntries(
    Object.entries(PROCESSES).flatMap(([name, { instances }]) =>
      instances === undefined
        ? []
        : [[name, read(instancesVariable(name as ServingProcess), integer(instances, 0, 1_000))]],
    ),
  ) as Config['instances'];
  if (faults.length > 0) {
    throw new StartError(
      `The environment has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
  }
  return Object.freeze({ ...values, databaseMigrateUrl: values.databaseMigrateUrl ?? values.databaseUrl, instances });
}

type Environment = Record<string, string | undefined>;

/** Parses the text of a variable (undefined if it is not set) into its value, or adds a sentence to `faults`. */
type Reader<T> = (raw: string | undefined, name: string, faults: string[]) => T;

interface Variable<T> {
  readonly name: string;
  readonly read: Reader<T>;
  readonly meaning: string;
  /** Its value contains a password or a key, so it never appears in a message or a log. */
  readonly secret: boolean;
}

function variable<T>(name: string, read: Reader<T>, meaning: string): Variable<T> {
  return { name, read, meaning, secret: false };
}

function secret<T>(name: string, read: Reader<T>, meaning: string): Variable<T> {
  return { name, read, meaning, secret: true };
}

function address(...schemes: readonly string[]): Reader<string> {
  return (raw, name, faults) => {
    if (raw === undefined) {
      faults.push(
        `${name} is missing: set it to a ${schemes[0]}//… address, or run \`npm start\`, which brings its own`,
      );
      return '';
    }
    if (!URL.canParse(raw) || !schemes.includes(new URL(raw).protocol))
      faults.push(`${name} must be an address that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`);
    return raw;
  };
}

function databaseAddress(raw: string | undefined, name: string, faults: string[]): string {
  return address('postgres:', 'postgresql:')(raw, name, faults);
}

function optional<T>(read: Reader<T>): Reader<T | undefined> {
  return (raw, name, faults) => (raw === undefined ? undefined : read(raw, name, faults));
}

function key(charsMin: number): Reader<string> {
  return (raw = '', name, faults) => {
    if (raw === '')
      faults.push(`${name} is missing: set it to at least ${charsMin} random characters (openssl rand -hex 32)`);
    else if (raw.length < charsMin)
      faults.push(`${name} has ${raw.length} characters; at least ${charsMin} are needed (openssl rand -hex 32)`);
    return raw;
  };
}

function text(fallback: string): Reader<string> {
  return (raw = fallback) => raw;
}

function integer(fallback: number, min: number, max: number): Reader<number> {
  return (raw = String(fallback), name, faults) => {
    const number = Number(raw);
    if (!/^\d+$/.test(raw) || number < min || number > max)
      faults.push(`${name} is ${JSON.stringify(raw)}; it must be a whole number from ${min} to ${max}`);
    return number;
  };
}

function port(fallback: number): Reader<number> {
  return integer(fallback, 1, 65_535);
}

/** Without a slash at the end. */
function base(fallback: string): Reader<string> {
  return (raw = fallback, name, faults) => {
    if (!URL.canParse(raw) || !['http:', 'https:'].includes(new URL(raw).protocol))
      faults.push(`${name} must be an http:// or https:// address`);
    return raw.replace(/\/+$/, '');
  };
}

function mailbox(fallback: string): Reader<string> {
  return (raw = fallback, name, faults) => {
    if (parseMailbox(raw) === undefined) faults.push(`${name} must be an address like "Name <name@example.com>"`);
    return raw;
  };
}

function oneOf<const T extends readonly string[]>(values: T, fallback: T[number]): Reader<T[number]> {
  return (raw = fallback, name, faults) => {
    if (!values.includes(raw)) faults.push(`${name} is ${JSON.stringify(raw)}; it must be one of ${values.join(', ')}`);
    return raw;
  };
}

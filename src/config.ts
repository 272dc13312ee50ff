import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { StartError } from './errors.ts';
import {
  ALERT_RECIPIENTS_MAX,
  LAME_DUCK_MS_DEFAULT,
  LAME_DUCK_MS_MAX,
  OPERATORS_MAX,
  REQUESTS_PER_MINUTE_MAX,
  SOCKETS_MAX,
  SOCKETS_PER_ADDRESS_MAX,
} from './limits.ts';
import { parseAddress, parseMailbox } from './mail-address.ts';
import { PROCESSES, type ServingProcess } from './processes.ts';
import { address, databaseServer, mailServer, type Reader, redisServer } from './server-addresses.ts';

/**
 * Every environment variable that a process reads, how it is parsed and what it is for. The README's table of variables
 * and the log redaction are derived from this.
 */
export const VARIABLES = {
  databaseUrl: secret('DATABASE_URL', databaseServer, 'the primary'),
  databaseReplicaUrl: secret(
    'DATABASE_REPLICA_URL',
    optional(databaseServer),
    'a streaming replica; without one, reads go to the primary',
  ),
  databaseMigrateUrl: secret(
    'DATABASE_MIGRATE_URL',
    optional(databaseServer),
    'the owner of the tables, for `migrate` and the seed; without one, `DATABASE_URL`',
  ),
  redisUrl: secret('REDIS_URL', redisServer, 'Redis or Valkey'),
  smtpUrl: secret('SMTP_URL', mailServer, 'the mail server'),
  smtpTls: inProduction(
    variable(
      'SMTP_TLS',
      oneOf(['offered', 'required', 'unchecked'], 'offered'),
      '`offered`: STARTTLS if the mail server offers it, with its certificate checked; `required`: no mail without it; `unchecked`: any certificate',
    ),
    checkedCertificate,
  ),
  secretKey: inProduction(
    secret('SECRET_KEY', key(32), 'signs personal links, page cursors and tokens; at least 32 characters'),
    randomKey,
  ),
  oidcIssuer: inProduction(
    variable('OIDC_ISSUER', optional(address(['https:', 'http:'])), 'an OpenID provider that people may sign in with'),
    secureIssuer,
  ),
  oidcClientId: variable('OIDC_CLIENT_ID', optional(text('')), 'what the provider calls this service'),
  oidcClientSecret: secret('OIDC_CLIENT_SECRET', optional(text('')), 'and its secret there'),
  host: variable('HOST', text('127.0.0.1'), 'the address to listen on'),
  apiPort: variable('API_PORT', port(PROCESSES.api.port), 'the port of `api`'),
  chatPort: variable('CHAT_PORT', port(PROCESSES.chat.port), 'the port of `chat`'),
  mailerPort: variable('MAILER_PORT', port(PROCESSES.mailer.port), "the port of `mailer`'s health checks"),
  apiUrl: inProduction(
    variable('API_URL', base(`http://127.0.0.1:${PROCESSES.api.port}`), 'the public address of the dashboard'),
    publicAddress,
  ),
  chatUrl: inProduction(
    variable('CHAT_URL', base(`http://127.0.0.1:${PROCESSES.chat.port}`), 'the public address of the chat'),
    publicAddress,
  ),
  mailFrom: inProduction(
    variable('MAIL_FROM', mailbox('Tardigrade <hello@tardigrade.test>'), 'the sender of all mails'),
    publicSender,
  ),
  mailBounceDomain: variable(
    'MAIL_BOUNCE_DOMAIN',
    optional(mailDomain),
    'the domain to which bounces are returned and which leads to `MAIL_BOUNCE_PORT`; without one they go to `MAIL_FROM`',
  ),
  mailBouncePort: variable('MAIL_BOUNCE_PORT', port(2525), 'the port at which `mailer` takes bounces by SMTP'),
  mailBounceCertificate: variable(
    'MAIL_BOUNCE_CERTIFICATE',
    optional(text('')),
    'the path of a certificate in PEM, with its chain, for STARTTLS at `MAIL_BOUNCE_PORT`; without one it offers none',
  ),
  mailBounceKey: variable('MAIL_BOUNCE_KEY', optional(text('')), 'the path of its key'),
  mailWebhookSecret: secret(
    'MAIL_WEBHOOK_SECRET',
    optional(webhookSecret),
    'signs the mail events that a provider posts to `/api/v1/mail-events`; without one they are refused',
  ),
  webhookNetworks: inProduction(
    variable(
      'WEBHOOK_NETWORKS',
      networks,
      'networks that webhooks may call although they are not public, by http too: for receivers on this machine, `127.0.0.0/8`',
    ),
    noNetworks,
  ),
  dkimKey: secret(
    'DKIM_KEY',
    optional(dkimKey),
    'an RSA key, or the path of its file: mails are signed for the domain of `MAIL_FROM`',
  ),
  dkimSelector: variable('DKIM_SELECTOR', label('mail'), 'the name of that key in the DNS: `<selector>._domainkey`'),
  mailPerSecond: variable('MAIL_PER_SECOND', integer(500, 1, 10_000), "the mail provider's rate"),
  mailPerDomainPerSecond: variable(
    'MAIL_PER_DOMAIN_PER_SECOND',
    integer(0, 0, 10_000),
    "how many mails a second go to the addresses of one domain, from all mailers together; 0: no limit but the provider's",
  ),
  requestsPerMinute: variable(
    'REQUESTS_PER_MINUTE',
    integer(REQUESTS_PER_MINUTE_MAX, 1, 100_000_000),
    'how many requests one signed-in user, or one API key, can send to all `api` processes together',
  ),
  trustProxyHops: variable(
    'TRUST_PROXY_HOPS',
    integer(0, 0, 10),
    'the number of proxies in front whose `X-Forwarded-For` is trusted',
  ),
  socketOrigins: variable(
    'SOCKET_ORIGINS',
    origins,
    'addresses of further pages that may open WebSockets, separated by commas; those of `CHAT_URL` and `API_URL` may',
  ),
  socketsPerAddress: variable(
    'SOCKETS_PER_ADDRESS',
    integer(SOCKETS_PER_ADDRESS_MAX, 1, SOCKETS_MAX),
    'how many WebSockets one address can have at one `chat`',
  ),
  lameDuckMs: variable(
    'LAME_DUCK_MS',
    integer(LAME_DUCK_MS_DEFAULT, 0, LAME_DUCK_MS_MAX),
    'how long a process that was told to stop says so on `/readyz` and serves on, before it closes its door',
  ),
  operators: inProduction(
    variable(
      'OPERATORS',
      addresses(OPERATORS_MAX),
      'who may see the whole platform: addresses of people who sign in here, separated by commas',
    ),
    publicOperators,
  ),
  alertMailTo: variable(
    'ALERT_MAIL_TO',
    addresses(ALERT_RECIPIENTS_MAX),
    'who gets a mail when something needs attention, before it fails: addresses, separated by commas',
  ),
  diskPath: variable('DISK_PATH', text('/'), 'a folder on the disk whose free space is watched'),
  lastExit: variable(
    'LAST_EXIT',
    text(''),
    'set by a supervisor that starts the process again: how it ended, `oom-kill` if the kernel killed it for its memory',
  ),
  environment: variable(
    'ENVIRONMENT',
    oneOf(['unmarked', 'staging'], 'unmarked'),
    '`staging` marks a deployment that may be put under load and sends no mail to people ([staging](docs/staging.md))',
  ),
  telemetryUrl: variable(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    optional(address(['https:', 'http:'])),
    'an OpenTelemetry collector (OTLP over HTTP) that traces are sent to; without one nothing of OpenTelemetry is loaded',
  ),
  telemetryHeaders: secret(
    'OTEL_EXPORTER_OTLP_HEADERS',
    optional(text('')),
    'what the collector wants in each request: `name=value`, separated by commas',
  ),
  telemetryShare: variable(
    'OTEL_TRACES_SAMPLER_ARG',
    fraction(1),
    'the share of the traces that begin here that is sent, from 0 to 1; a caller decides about its own',
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
export function loadConfig(given: Environment = process.env): Config {
  const environment = withCredentials(given);
  const faults: string[] = [];
  const production = productionBecause(environment);
  const textOf = (name: string) => environment[name]?.trim() || undefined;
  const read = <T>(name: string, reader: Reader<T>) => reader(textOf(name), name, faults);
  const readVariable = ({ name, read: reader, refuseInProduction }: Variable<unknown>) => {
    const before = faults.length;
    const value = read(name, reader);
    if (production !== undefined && faults.length === before) refuseInProduction?.(textOf(name), name, faults);
    return value;
  };
  const values = Object.fromEntries(
    Object.entries(VARIABLES).map(([field, variable]) => [field, readVariable(variable as Variable<unknown>)]),
  ) as unknown as Values;
  const oidc = [values.oidcIssuer, values.oidcClientId, values.oidcClientSecret].filter((value) => value !== undefined);
  if (oidc.length % 3 !== 0)
    faults.push('OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET are set together, or not at all');
  if (
    values.environment === 'staging' &&
    URL.canParse(values.smtpUrl) &&
    !isOnlyForDevelopment(new URL(values.smtpUrl).hostname)
  )
    faults.push(
      'ENVIRONMENT is staging and SMTP_URL leads to a real mail server: set it to a mail catcher on this machine, or at a name that ends in .test',
    );
  if ((values.mailBounceCertificate === undefined) !== (values.mailBounceKey === undefined))
    faults.push('MAIL_BOUNCE_CERTIFICATE and MAIL_BOUNCE_KEY are set together, or not at all');
  const instances = Object.fromEntries(
    Object.entries(PROCESSES).flatMap(([name, { instances }]) =>
      instances === undefined
        ? []
        : [[name, read(instancesVariable(name as ServingProcess), integer(instances, 0, 1_000))]],
    ),
  ) as Config['instances'];
  if (faults.length > 0) {
    const number = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
    const where = production === undefined ? '' : ` (this is production: ${production})`;
    throw new StartError(`The environment has ${number}${where}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
  return Object.freeze({ ...values, databaseMigrateUrl: values.databaseMigrateUrl ?? values.databaseUrl, instances });
}

type Environment = Record<string, string | undefined>;

/**
 * A secret can also be a file of the variable's name in $CREDENTIALS_DIRECTORY, where systemd puts those of a unit
 * (LoadCredential): other processes of the same user can read an environment, but not these.
 */
function withCredentials(environment: Environment): Environment {
  const folder = environment['CREDENTIALS_DIRECTORY'];
  if (!folder) return environment;
  const files = Object.values(VARIABLES)
    .filter(({ name, secret }) => secret && !environment[name] && existsSync(join(folder, name)))
    .map(({ name }) => [name, readCredential(join(folder, name))]);
  return { ...environment, ...Object.fromEntries(files) };
}

function readCredential(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/**
 * Why mails of this process reach people, or undefined if they do not: then a default of development that was
 * forgotten cannot be mended afterwards, because the links in a mail stay what they were. NODE_ENV=development says
 * that the server at SMTP_URL is a mail catcher, wherever it runs.
 */
function productionBecause(environment: Environment): string | undefined {
  const mode = environment['NODE_ENV']?.trim();
  if (mode === 'production') return 'NODE_ENV says so';
  if (mode === 'development') return undefined;
  const smtp = environment['SMTP_URL']?.trim() ?? '';
  return /^smtps?:/i.test(smtp) && URL.canParse(smtp) && !isOnlyForDevelopment(new URL(smtp).hostname)
    ? 'SMTP_URL leads to a server that is not on this machine'
    : undefined;
}

/** This machine, and the names that RFC 2606 and RFC 6761 reserve for tests and examples. */
function isOnlyForDevelopment(host: string): boolean {
  return (
    /^(?:127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f[\da-f]{2}:[\da-f]+\])$/i.test(host) ||
    /(?:^|\.)(?:localhost|test|example|invalid|example\.(?:com|net|org))\.?$/i.test(host)
  );
}

interface Variable<T> {
  readonly name: string;
  readonly read: Reader<T>;
  readonly meaning: string;
  /** Its value contains a password or a key, so it never appears in a message or a log. */
  readonly secret: boolean;
  /** Adds a sentence to the faults for a value that is good enough for development only. */
  readonly refuseInProduction?: Reader<void>;
}

function variable<T>(name: string, read: Reader<T>, meaning: string): Variable<T> {
  return { name, read, meaning, secret: false };
}

function secret<T>(name: string, read: Reader<T>, meaning: string): Variable<T> {
  return { name, read, meaning, secret: true };
}

function inProduction<T>(variable: Variable<T>, refuse: Reader<void>): Variable<T> {
  return { ...variable, refuseInProduction: refuse };
}

function publicAddress(raw: string | undefined, name: string, faults: string[]): void {
  const needed = 'set it to the https:// address at which people reach it';
  if (raw === undefined) faults.push(`${name} is missing: ${needed}`);
  else if (isOnlyForDevelopment(new URL(raw).hostname))
    faults.push(`${name} leads to this machine, or to a name for tests and examples: ${needed}`);
  else if (new URL(raw).protocol !== 'https:')
    faults.push(`${name} starts with http://, so passwords and personal links could be read on their way: ${needed}`);
}

function secureIssuer(raw: string | undefined, name: string, faults: string[]): void {
  if (raw !== undefined && new URL(raw).protocol !== 'https:')
    faults.push(
      `${name} starts with http://, so anyone who can change its traffic could sign in as any user: set it to an https:// address`,
    );
}

function publicSender(raw: string | undefined, name: string, faults: string[]): void {
  const needed = 'set it to an address of a domain that you may send for';
  const domain = /@([^@>]+)>?$/.exec(raw ?? '')?.[1] ?? '';
  if (raw === undefined) faults.push(`${name} is missing: ${needed}`);
  else if (isOnlyForDevelopment(domain)) faults.push(`${name} is at a name for tests and examples: ${needed}`);
}

/** Nobody reads mail there, so nobody could confirm it; and the password of the sample data is public. */
function publicOperators(raw = '', name: string, faults: string[]): void {
  const list = raw.split(',').map((entry) => entry.trim());
  for (const entry of list.filter((one) => isOnlyForDevelopment(one.slice(one.lastIndexOf('@') + 1))))
    faults.push(`${name} holds ${JSON.stringify(entry)}, which is at a name for tests and examples: leave it out`);
}

function checkedCertificate(raw: string | undefined, name: string, faults: string[]): void {
  if (raw === 'unchecked')
    faults.push(
      `${name} is unchecked, so anybody on the way could read the mails: leave it out, or set it to required`,
    );
}

function noNetworks(raw: string | undefined, name: string, faults: string[]): void {
  if (raw !== undefined)
    faults.push(`${name} lets customers have us call what is not public, such as the database: leave it out`);
}

/** Refuses a key that was copied from an example or typed. Random bytes in hex have more than 8 different digits. */
function randomKey(raw = '', name: string, faults: string[]): void {
  if (new Set(raw).size < 8 || /secret|change.?me|example|password|placeholder|your.?key/i.test(raw))
    faults.push(`${name} reads like an example, and not like a random key (openssl rand -hex 32)`);
}

function fraction(otherwise: number): Reader<number> {
  return (raw, name, faults) => {
    const value = raw === undefined ? otherwise : Number(raw);
    if (!(value >= 0 && value <= 1)) faults.push(`${name} must be a number from 0 to 1`);
    return value;
  };
}

const DKIM_BITS_MIN = 1024; // RFC 8301; 2048 is better

/** nodemailer sends mails unsigned when it cannot sign with the key, and says nothing. */
function dkimKey(raw: string | undefined, name: string, faults: string[]): string {
  try {
    // In a variable the line breaks are often written as \n.
    const text = raw?.startsWith('-----BEGIN') ? raw.replaceAll('\\n', '\n') : readFileSync(raw ?? '', 'utf8');
    const key = createPrivateKey(text);
    if (key.asymmetricKeyType !== 'rsa') faults.push(`${name} is not an RSA key: make one with openssl genrsa 2048`);
    else if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < DKIM_BITS_MIN)
      faults.push(
        `${name} has fewer than ${DKIM_BITS_MIN} bits, so nobody believes it: make one with openssl genrsa 2048`,
      );
    return text;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    faults.push(
      `${name} is neither a private key in PEM nor a file with one that can be read (${code ?? 'not a key'})`,
    );
    return '';
  }
}

function mailDomain(raw = '', name: string, faults: string[]): string {
  const parsed = parseAddress(`bounce@${raw}`);
  if ('fault' in parsed) {
    faults.push(`${name} must be a domain like bounces.example.com`);
    return '';
  }
  return parsed.address.slice(parsed.address.indexOf('@') + 1);
}

const WEBHOOK_KEY_BYTES_MIN = 24;

function webhookSecret(raw = '', name: string, faults: string[]): string {
  const [, base64 = ''] = /^whsec_([\w+/]+={0,2})$/.exec(raw) ?? [];
  if (Buffer.from(base64, 'base64').length < WEBHOOK_KEY_BYTES_MIN)
    faults.push(
      `${name} must be whsec_ and at least ${WEBHOOK_KEY_BYTES_MIN} random bytes in base64 (openssl rand -base64 32)`,
    );
  return raw;
}

function label(fallback: string): Reader<string> {
  return (raw = fallback, name, faults) => {
    if (!/^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/i.test(raw)) faults.push(`${name} must be a name as the DNS has it`);
    return raw;
  };
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
    if (!URL.canParse(raw) || !/^https?:\/\//i.test(raw)) faults.push(`${name} must be an http:// or https:// address`);
    else if (/[?#]/.test(raw))
      faults.push(`${name} has a ? or a # in it, and what is appended to it would lead nowhere`);
    else if (new URL(raw).username !== '') faults.push(`${name} has a user name in it, which everybody would see`);
    return raw.replace(/\/+$/, '');
  };
}

function origins(raw = '', name: string, faults: string[]): string[] {
  const list = raw.split(',').flatMap((entry) => entry.trim() || []);
  for (const entry of list) base(entry)(entry, name, faults);
  return list;
}

function networks(raw = '', name: string, faults: string[]): string[] {
  const list = raw.split(',').flatMap((entry) => entry.trim() || []);
  for (const entry of list) {
    const [address = '', bits = '', ...more] = entry.split('/');
    const most = { 4: 32, 6: 128 }[isIP(address)] ?? 0;
    if (more.length > 0 || !/^\d{1,3}$/.test(bits) || isIP(address) === 0 || Number(bits) > most)
      faults.push(`${name} holds ${JSON.stringify(entry)}, which is not a network like 127.0.0.0/8`);
  }
  return list;
}

function addresses(most: number): Reader<string[]> {
  return (raw = '', name, faults) => {
    const list = raw.split(',').flatMap((entry) => entry.trim() || []);
    if (list.length > most) faults.push(`${name} has ${list.length} addresses; ${most} are the most`);
    return list.map((entry) => {
      const parsed = parseAddress(entry);
      if ('address' in parsed) return parsed.address;
      faults.push(`${name} holds ${JSON.stringify(entry)}, which ${parsed.fault}`);
      return entry;
    });
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

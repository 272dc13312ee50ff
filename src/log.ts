import { type DestinationStream, type Logger, pino } from 'pino';
import { type LogLevel, VARIABLES } from './config.ts';
import { traceFields } from './trace.ts';

export type Log = Logger;

/**
 * One JSON line per event on stdout. User content and credentials are never logged: the paths below are redacted, and
 * requests are logged by route pattern, because personal links carry their token in the path.
 */
export function createLog(name: string, level: LogLevel, to?: DestinationStream): Log {
  const options = {
    name,
    level,
    mixin: traceFields,
    serializers: { err: (error: unknown) => knownOf(pino.stdSerializers.err(error as Error)) },
    redact: {
      paths: [...SECRETS, ...SECRETS.map((key) => `*.${key}`), 'req.headers.authorization', 'req.headers.cookie'],
      censor: '[redacted]',
    },
  };
  return to === undefined ? pino(options) : pino(options, to);
}

/** Credentials, user content, and every setting that contains a password or a key. */
const SECRETS = [
  ...['password', 'token', 'cookie', 'authorization', 'body'],
  ...Object.entries(VARIABLES).flatMap(([field, { secret }]) => (secret ? [field] : [])),
];

/**
 * Libraries hang on an error what it was about: ioredis a command, with the password when it was AUTH, nodemailer a list of
 * addresses, PostgreSQL the row. Its words and these fields are logged, and no other.
 */
const KNOWN_FIELDS: readonly string[] = [
  ...['type', 'message', 'stack', 'code', 'errno', 'syscall', 'address', 'port', 'statusCode', 'responseCode'],
  ...['severity', 'schema', 'table', 'column', 'constraint', 'routine'],
];

function knownOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const known = Object.entries(error).filter(([field]) => KNOWN_FIELDS.includes(field));
  const several = (error as { aggregateErrors?: readonly unknown[] }).aggregateErrors;
  return { ...Object.fromEntries(known), ...(several && { aggregateErrors: several.map(knownOf) }) };
}

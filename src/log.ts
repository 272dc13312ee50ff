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

import { type Logger, pino } from 'pino';
import { type LogLevel, VARIABLES } from './config.ts';

export type Log = Logger;

/**
 * One JSON line per event on stdout. What people write and what lets them in never gets there: the paths below are
 * cut out wherever they appear, and requests are logged by route pattern, because personal links carry their token in
 * the path.
 */
export function createLog(name: string, level: LogLevel): Log {
  return pino({
    name,
    level,
    redact: {
      paths: [...SECRETS, ...SECRETS.map((key) => `*.${key}`), 'req.headers.authorization', 'req.headers.cookie'],
      censor: '[redacted]',
    },
  });
}

/** What lets somebody in, or is what somebody wrote; and every setting that carries a password. */
const SECRETS = [
  ...['password', 'token', 'cookie', 'authorization', 'body'],
  ...Object.entries(VARIABLES).flatMap(([field, { secret }]) => (secret ? [field] : [])),
];

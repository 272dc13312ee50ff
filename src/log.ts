import { type Logger, pino } from 'pino';
import type { LogLevel } from './config.ts';

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

const SECRETS = [
  'password',
  'token',
  'cookie',
  'authorization',
  'secretKey',
  'body',
  'databaseUrl',
  'databaseMigrateUrl',
  'databaseReplicaUrl',
  'redisUrl',
  'smtpUrl',
];

import { RETRY_AFTER_SECONDS } from './limits.ts';

/**
 * The closed set of errors that users can see, and the HTTP status of each.
 * Anything else that is thrown is `internal`: logged with its stack, and never shown to users.
 */
export const ERROR_STATUS = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  too_slow: 408,
  conflict: 409,
  in_progress: 409,
  gone: 410,
  changed_meanwhile: 412,
  too_large: 413,
  unsupported: 415,
  key_reused: 422,
  precondition_required: 428,
  rate_limited: 429,
  headers_too_large: 431,
  internal: 500,
  overloaded: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface FieldError {
  readonly path: string;
  readonly message: string;
}

interface AppErrorOptions {
  readonly cause?: unknown;
  readonly retryAfterSeconds?: number;
  readonly errors?: readonly FieldError[];
}

/** `message` is for the user: what is wrong and what to do about it. Never put secrets or SQL into it. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | undefined;
  /** Of `invalid`: the fields that are not valid, by their path in the request (`body/subject`). */
  readonly errors: readonly FieldError[] | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.errors = options.errors;
  }
}

/** Too many at once: the caller is told to try again, instead of waiting for an answer that would come too late. */
export function overloaded(what: string): AppError {
  return new AppError('overloaded', `Too many ${what} at once. Try again in a moment.`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

/** Thrown at start, before anything is opened; lists every problem at once. Printed without a stack. */
export class StartError extends Error {
  override name = 'StartError';
}

/** The SQLSTATEs that are handled separately. Source: https://www.postgresql.org/docs/18/errcodes-appendix.html */
export const SQLSTATE = {
  connectionDoesNotExist: '08003',
  connectionFailure: '08006',
  characterNotInRepertoire: '22021',
  untranslatableCharacter: '22P05',
  uniqueViolation: '23505',
  readOnlyTransaction: '25006',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  lockNotAvailable: '55P03',
  queryCanceled: '57014',
  adminShutdown: '57P01',
  crashShutdown: '57P02',
  cannotConnectNow: '57P03',
} as const;

/** SQLSTATE of an error from PostgreSQL, or undefined. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

/** A data exception or a constraint violation: the same values would fail again. */
export function isDataFault(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '');
}

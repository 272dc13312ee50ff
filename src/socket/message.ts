import { AppError } from '../errors.ts';
import { SOCKET_NONCE_CHARS_MAX } from '../limits.ts';

/** Whether the messages behind it can still be handled: it would be refused at any other time too. */
export function isAboutMessage(error: unknown): error is AppError {
  return error instanceof AppError && !['overloaded', 'rate_limited', 'internal'].includes(error.code);
}

/** `nonce` tells the client which of its messages is meant. */
export function errorFrame({ code, message }: AppError, text: string): object {
  let nonce: unknown;
  try {
    nonce = JSON.parse(text)?.nonce;
  } catch {}
  const isUsable = typeof nonce === 'string' && nonce.length <= SOCKET_NONCE_CHARS_MAX;
  return { type: 'error', code, message, ...(isUsable ? { nonce } : {}) };
}

export function parseMessage(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AppError('invalid', 'A message must be JSON.');
  }
}

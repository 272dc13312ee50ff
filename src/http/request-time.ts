import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Database } from '../db/read-write-split.ts';
import { AppError } from '../errors.ts';
import { REQUEST_COMMIT_MS, REQUEST_MS } from '../limits.ts';
import type { App } from './app.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How long a request may take, where REQUEST_MS is not enough: of files. */
    requestMs?: number;
  }
  interface FastifyRequest {
    /** Its time is over: it has been told so, and nothing that it still does is to be committed. */
    isTooLate: boolean;
    /** Its answer is on its way, and waits for a commit. */
    isAnswered: boolean;
    /** What it wrote is being committed. */
    isCommitting: boolean;
  }
}

/**
 * Every request is answered within its time, whatever its handler does. Fastify's own handlerTimeout ends with the
 * request's `close`, which Node emits as soon as the body has been read: a handler with a body would never be timed.
 * Register it before all hooks that take time, and `endOfAnswer` after all that work on an answer.
 */
export function limitTime(app: App): void {
  app.decorateRequest('isTooLate', false);
  app.decorateRequest('isAnswered', false);
  app.decorateRequest('isCommitting', false);
  app.addHook('onRequest', (request, reply, done) => {
    const ms = request.routeOptions.config.requestMs ?? REQUEST_MS;
    let timer = setTimeout(end, ms);
    function end(): void {
      // To say that it was not done would be wrong a moment later. The database bounds how long a commit can take.
      if (request.isCommitting) timer = setTimeout(end, REQUEST_COMMIT_MS);
      else endLate(request, reply);
    }
    reply.raw.once('close', () => clearTimeout(timer));
    done();
  });
  app.addHook('onSend', (request, _reply, _payload, done) => {
    request.isAnswered = true;
    done();
  });
}

export function endOfAnswer(app: App): void {
  app.addHook('onSend', (request, _reply, _payload, done) => {
    request.isAnswered = false;
    done();
  });
}

function endLate(request: FastifyRequest, reply: FastifyReply): void {
  // Only the commit knows what the answer is, and the database bounds how long that can take.
  if (request.isAnswered) return;
  request.isTooLate = true;
  if (reply.sent || reply.raw.destroyed) return;
  const error = tooLate();
  // A file that is on its way cannot become another answer.
  if (reply.raw.headersSent) reply.raw.destroy(error);
  else reply.send(error);
}

/** The same database for a request: what is not about to be committed when its time is over is rolled back. */
export function inTime(database: Database, request: FastifyRequest): Pick<Database, 'read' | 'write'> {
  const check = () => {
    if (request.isTooLate) throw tooLate();
  };
  return {
    read: database.read,
    write: (scope, work) =>
      database
        .write(scope, async (transaction) => {
          request.isCommitting = false;
          check(); // each time: it may have waited for a lock, and be tried again
          const value = await work(transaction);
          check();
          request.isCommitting = true;
          return value;
        })
        .finally(() => {
          request.isCommitting = false;
        }),
  };
}

function tooLate(): AppError {
  return new AppError('overloaded', 'This took too long. Try again in a moment.');
}

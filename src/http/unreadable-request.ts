import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { AppError, type ErrorCode } from '../errors.ts';
import { PROBLEM_TYPE, toProblem } from './problem-details.ts';

/** Answers bytes that Node could not read as a request, which no route ever sees, and closes the connection. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) socket.write(ANSWERS[error.code ?? ''] ?? NOT_HTTP);
  socket.destroy(error);
}

/** Node closes the connection of a CONNECT without a word. */
export function refuseTunnels(server: Server): void {
  server.on('connect', (_request, socket) => {
    socket.on('error', () => undefined); // Node has taken its own listener away
    socket.end(NO_TUNNEL, () => socket.destroy());
  });
}

const NOT_HTTP = answer('invalid', 'This is not an HTTP request that can be read.');
const NO_TUNNEL = answer('not_found', 'This is not a proxy: it makes no connections for others.');
const ANSWERS: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: answer('too_slow', 'The request took too long to arrive.'),
  HPE_HEADER_OVERFLOW: answer('headers_too_large', 'The headers are too long.'),
};

function answer(code: ErrorCode, detail: string): string {
  const problem = toProblem(new AppError(code, detail));
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

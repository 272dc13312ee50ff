import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { AppError, type ErrorCode } from '../errors.ts';
import { HEADERS_MAX } from '../limits.ts';
import { PROBLEM_HEADERS, toProblem } from './problem-details.ts';

/** Answers to what no route ever sees. `headers`: those that every response has. */
export function createRawRefusals(headers: Readonly<Record<string, string>>) {
  const refusal = (code: ErrorCode, detail: string) => write(new AppError(code, detail), headers);
  const notHttp = refusal('invalid', 'This is not an HTTP request that can be read.');
  const noTunnel = refusal('not_found', 'This is not a proxy: it makes no connections for others.');
  const answers: Readonly<Record<string, string>> = {
    ERR_HTTP_REQUEST_TIMEOUT: refusal('too_slow', 'The request took too long to arrive.'),
    HPE_HEADER_OVERFLOW: refusal(
      'headers_too_large',
      `There are more than ${HEADERS_MAX} headers, or they are too long.`,
    ),
  };
  return {
    /** Answers bytes that Node could not read as a request, and closes the connection. */
    refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
      if (error.code === 'ECONNRESET' || socket.destroyed) return;
      if (socket.writable) socket.write(answers[error.code ?? ''] ?? notHttp);
      socket.destroy(error);
    },
    /** Node closes the connection of a CONNECT without a word. */
    refuseTunnels(server: Server): void {
      server.on('connect', (_request, socket) => {
        socket.on('error', () => undefined); // Node has taken its own listener away
        socket.end(noTunnel, () => socket.destroy());
      });
    },
  };
}

function write(error: AppError, headers: Readonly<Record<string, string>>): string {
  const problem = toProblem(error);
  const body = JSON.stringify(problem);
  const all = { ...headers, ...PROBLEM_HEADERS, 'content-length': Buffer.byteLength(body), connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines.join('')}\r\n${body}`;
}

/**
 * What it is: a request that is refused before its body has arrived still gets its answer.
 * What fails without it: the answer is sent and the connection closed while the client is still sending. The kernel
 *   answers what arrives then with a reset, and many clients, and proxies, report that instead of the 413.
 * How it works: the connection stays open, and Node reads the rest of the body and throws it away; then the connection
 *   is used again. A body that does not end within the bounds is cut off.
 * What it costs: the bandwidth of the refused body, and no memory.
 * Its bound: REFUSED_BODY_BYTES_MAX, REFUSED_BODY_MS. Its proof: test/http/refused-body.test.ts.
 */
import type { IncomingMessage } from 'node:http';
import { REFUSED_BODY_BYTES_MAX, REFUSED_BODY_CHECK_MS, REFUSED_BODY_MS } from '../limits.ts';
import type { App } from './app.ts';

export function readRefusedBodies(app: App): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    if (isStillSending(request.raw)) {
      reply.removeHeader('connection'); // the framework closes after a body that is too large
      reply.raw.removeHeader('connection');
    }
    done(null, payload);
  });
  app.addHook('onResponse', (request, _reply, done) => {
    if (isStillSending(request.raw)) boundRest(request.raw);
    done();
  });
}

function isStillSending({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0);
}

/** Node itself reads the rest as soon as the answer has been sent. */
function boundRest(request: IncomingMessage): void {
  const { socket } = request;
  const bytesMax = socket.bytesRead + REFUSED_BODY_BYTES_MAX;
  const deadline = performance.now() + REFUSED_BODY_MS;
  const timer = setInterval(() => {
    if (!request.complete && !socket.destroyed) {
      if (socket.bytesRead <= bytesMax && performance.now() <= deadline) return;
      socket.destroy();
    }
    clearInterval(timer);
  }, REFUSED_BODY_CHECK_MS);
}

/**
 * `node bare.ts`, in the place of a chat: ws and nothing else, as its README has it, with the heartbeat of its README.
 * Every token is a ticket, which nobody checks, and every hello is welcomed. It tells the same figures as the product at
 * /metrics.
 */
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { Gauge, register } from 'prom-client';
import { type WebSocket, WebSocketServer } from 'ws';
import { createLog } from '../../../../src/log.ts';
import { collectProcessMetrics } from '../../../../src/process/default-metrics.ts';
import { checkHeap } from '../../../../src/process/memory-limit.ts';

const PING_MS = 30_000;
const WELCOME = JSON.stringify({ type: 'welcome', messages: [], lastSeq: 0, waitingFor: null, finished: false });

const server = createServer(async (request, response) => {
  if (request.method === 'POST') {
    const { token } = (await json(request)) as { token: string };
    response.end(JSON.stringify({ ticket: token }));
  } else response.end(request.url === '/metrics' ? await register.metrics() : 'ready');
});
const sockets = new WebSocketServer({ server });
const alive = new WeakSet<WebSocket>();
sockets.on('connection', (socket) => {
  alive.add(socket);
  socket.on('error', console.error);
  socket.on('pong', () => alive.add(socket));
  socket.on('message', () => socket.send(WELCOME));
});
setInterval(() => {
  for (const socket of sockets.clients) {
    if (!alive.delete(socket)) socket.terminate();
    else socket.ping();
  }
}, PING_MS);

collectProcessMetrics(register);
new Gauge({
  name: 'tardigrade_sockets',
  help: 'Open WebSocket connections',
  collect() {
    this.set(sockets.clients.size);
  },
});
checkHeap(createLog('bare', 'info'));
server.listen(Number(process.env['CHAT_PORT']), process.env['HOST']);

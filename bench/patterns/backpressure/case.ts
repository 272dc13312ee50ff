import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as tick } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { MB, type PatternCase } from '../pattern.ts';

type Twin = { send(socket: WebSocket, text: string): void };
type Input = { readonly sleepers: number; readonly megabytes: number };

const TEXT = 'x'.repeat(16 * 1024);
const SLEEPERS = 20;
/** Sent to each client: together far more than the box. */
const MEGABYTES = 40;
const PEAK_BYTES_MAX = 384 * MB;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/socket/backpressure.ts',
  withoutIt: "one slow client fills the server's memory",
  asks: `Send ${MEGABYTES} MB to each of ${SLEEPERS + 1} clients, of which ${SLEEPERS} stopped reading.`,
  breaks: 'the process is killed, because what was not read stays in its memory',
  holds: `the client that reads gets everything, below ${PEAK_BYTES_MAX / MB} MB`,
  headline: ({ megabytes = 0 }) => `${megabytes} MB arrived where they are read`,
  small: { sleepers: 0, megabytes: 2 },
  full: { sleepers: SLEEPERS, megabytes: MEGABYTES },

  async perform({ send }, { sleepers, megabytes }) {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    await once(server, 'listening');
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const reader = await connect(url);
    for (let sleeper = 0; sleeper < sleepers; sleeper++) streamOf(await connect(url)).pause();
    const received = createHash('sha256');
    let bytes = 0;
    reader.on('message', (data: Buffer) => {
      received.update(data);
      bytes += data.length;
    });
    let sent = 0;
    for (let number = 0; sent < megabytes * MB; number++) {
      for (const [client, socket] of [...server.clients].entries()) {
        // Each client's messages are its own. The reader was the first to come.
        const text = `${client} ${number} ${TEXT}`;
        if (client === 0) sent += text.length;
        if (socket.readyState === WebSocket.OPEN) send(socket, text);
      }
      // The reader keeps up: what is held, is held for the others.
      while (bytes < sent - MB / 4) await tick();
    }
    while (bytes < sent) await tick();
    return {
      digest: received.digest('hex'),
      figures: { megabytes: Math.floor(bytes / MB), clients: server.clients.size },
    };
  },

  isBroken: ({ ending }) => ending === 'OOM-killed' || ending === 'heap exhausted',
  isHeld: ({ ending, figures, peakBytes }) =>
    ending === 'finished' && figures.megabytes === MEGABYTES && peakBytes < PEAK_BYTES_MAX,
};

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('error', () => undefined); // a client that is cut off
  await once(socket, 'open');
  return socket;
}

const streamOf = (socket: WebSocket) => (socket as unknown as { _socket: Socket })._socket;

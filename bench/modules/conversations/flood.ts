/**
 * Sockets that mean no good: together they send a gigabit a second, and each comes back at once when it is cut off. As
 * fast as the kernel takes it, the flood would fill 4 MB of buffers per socket, and so be busy with a core of this machine
 * instead of with the server, which reads none of it.
 * `refused upgrades`: of a page that is not ours, of a path that does not exist and without a ticket, reset at three
 * moments. `refused tickets`: asked for with a forged token, with what is not JSON, with a body that is too large, and with
 * one that never ends. The others have a link each, and a new ticket for each connection. `pings`, `pongs`: control
 * frames, which are not messages. `big frames`: texts of 1 MB. `after the close`: says goodbye, and talks on.
 */

import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { TICKET_BODY_BYTES_MAX } from '../../../src/limits.ts';
import { protocolsOf } from '../../../web/modules/conversations/protocol.js';
import { createMeter } from '../../load/meter.ts';
import type { Tell } from '../../load/plan.ts';
import { type AdmittedFloodName, FLOODING, type FloodFigures, type FloodPlan, isAdmitted } from './flood-plan.ts';
import { requestTicket, socketUrlOf } from './socket-client.ts';

const AGAIN_MS = 10;
const BYTES_PER_SECOND = 125_000_000; // of all sockets together
const CONTROL_FRAMES_PER_CHUNK = 5_000;
const BIG_FRAME_BYTES = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** Says `flooding` when as many have come as it has sockets, and of those with a link when they have been let in. */
export async function runFlood(plan: FloodPlan, tell: Tell, signal: AbortSignal): Promise<FloodFigures> {
  const { seconds, sockets, flood } = plan;
  const meter = createMeter({ seconds, warmUpSeconds: 0 });
  const counts = { connections: 0, admitted: 0, bytes: 0 };
  const target = new URL(plan.url);
  const asking = new AbortController();
  const endsAt = performance.now() + seconds * 1000;
  const open = new Set<Socket>();
  const tellWhenAllCame = () => {
    const count = isAdmitted(flood) ? counts.admitted : counts.connections;
    if (count === sockets) tell.onEvent(FLOODING);
  };
  const isOver = () => signal.aborted || performance.now() > endsAt;

  async function come(_: unknown, nthSocket: number): Promise<void> {
    for (let nth = 0; !isOver(); nth++) {
      const ticket = isAdmitted(flood) ? await exchange(plan.tokens[nthSocket] as string) : '';
      if (ticket !== undefined) await connectOnce(nth, ticket);
      // Also where nobody listens any more.
      else await delay(AGAIN_MS);
    }
  }

  /** Undefined when there is none to be had. */
  async function exchange(token: string): Promise<string | undefined> {
    const from = { localAddress: plan.address };
    const answer = await requestTicket(socketUrlOf(plan.url), token, asking.signal, from).catch(() => undefined);
    return answer !== undefined && 'ticket' in answer ? answer.ticket : undefined;
  }

  async function connectOnce(nth: number, ticket: string): Promise<void> {
    if (isOver()) return;
    const socket = connect({ host: target.hostname, port: Number(target.port), localAddress: plan.address });
    socket.on('error', () => undefined); // `close` follows
    const closed = new Promise((resolve) => socket.once('close', resolve).once('end', resolve));
    open.add(socket);
    socket.once('connect', () => {
      counts.connections++;
      if (!isAdmitted(flood)) tellWhenAllCame();
      if (flood === 'refused upgrades') resetUpgrade(socket, nth);
      else if (flood === 'refused tickets') askInVain(socket, nth);
      else pour(socket, flood, sockets, ticket);
    });
    socket.once('data', (answer) => {
      if (!answer.includes('HTTP/1.1 101 ')) return;
      counts.admitted++;
      if (isAdmitted(flood)) tellWhenAllCame();
    });
    await closed;
    open.delete(socket);
    counts.bytes += socket.bytesWritten;
    socket.destroy();
    await delay(socket.bytesWritten > 0 ? 0 : AGAIN_MS);
  }

  const coming = Promise.all(Array.from({ length: sockets }, come));
  while (!isOver()) await delay(AGAIN_MS);
  meter.windowEnds();
  asking.abort();
  for (const socket of open) socket.destroy();
  await coming;
  return { ...meter.figures(), ...counts };
}

/** Before the answer, with it, and a moment after the request. */
function resetUpgrade(socket: Socket, nth: number): void {
  const moments = [
    () => socket.resetAndDestroy(),
    () => socket.once('data', () => socket.resetAndDestroy()),
    () => setTimeout(() => socket.resetAndDestroy(), 1),
  ];
  const then = moments[Math.floor(nth / REFUSED_UPGRADES.length) % moments.length];
  socket.write(REFUSED_UPGRADES[nth % REFUSED_UPGRADES.length] as string, () => then?.());
}

/** Until the server has had enough. */
function askInVain(socket: Socket, nth: number): void {
  socket.write(REFUSED_TICKETS[nth % REFUSED_TICKETS.length] as string);
  socket.on('data', () => undefined);
}

function pour(socket: Socket, flood: AdmittedFloodName, sockets: number, ticket: string): void {
  const { first, further } = POURED[flood];
  socket.write(upgradeRequest('/chat', `Sec-WebSocket-Protocol: ${protocolsOf(ticket).join(', ')}\r\n`));
  socket.write(first);
  const more = () => {
    if (!socket.writableNeedDrain) socket.write(further);
  };
  more();
  const pouring = setInterval(more, (further.length * sockets * 1000) / BYTES_PER_SECOND);
  socket.on('data', () => undefined).once('close', () => clearInterval(pouring));
}

const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** Exported for its test: a client's frame, masked with zeros. */
export function frameHead(opcode: number, length: number): Buffer {
  const head = Buffer.alloc(length < 126 ? 6 : 14);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (length < 126 ? length : 127);
  if (length >= 126) head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

const controls = (opcode: number) => {
  const chunk = Buffer.concat(Array.from({ length: CONTROL_FRAMES_PER_CHUNK }, () => frameHead(opcode, 0)));
  return { first: Buffer.alloc(0), further: chunk };
};

const GOODBYE = Buffer.concat([frameHead(OPCODE.close, 2), Buffer.of(0x03, 0xe8)]);
const HELLO = '{"type":"hello","lastSeq":0}';
const TEXTS = Array.from({ length: 1_000 }, () => [frameHead(OPCODE.text, HELLO.length), Buffer.from(HELLO)]).flat();

const POURED: Readonly<Record<AdmittedFloodName, { first: Buffer; further: Buffer }>> = {
  pings: controls(OPCODE.ping),
  pongs: controls(OPCODE.pong),
  'big frames': { first: frameHead(OPCODE.text, BIG_FRAME_BYTES), further: Buffer.alloc(CHUNK_BYTES, 'x') },
  'after the close': { first: GOODBYE, further: Buffer.concat(TEXTS) },
};

function upgradeRequest(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`;
}

const REFUSED_UPGRADES = [
  upgradeRequest('/nowhere'),
  upgradeRequest('/chat', 'Origin: https://elsewhere.test\r\n'),
  upgradeRequest('/chat'),
];

function ticketRequest(body: string, bytes = body.length): string {
  return `POST /chat/ticket HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes}\r\n\r\n${body}`;
}

const FORGED = JSON.stringify({ token: `1.1.${'x'.repeat(22)}` });
const REFUSED_TICKETS = [
  ticketRequest(FORGED),
  ticketRequest('not JSON'),
  ticketRequest('x'.repeat(TICKET_BODY_BYTES_MAX + 1)),
  ticketRequest(FORGED, FORGED.length + 1),
];

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type WebSocket, WebSocketServer } from 'ws';
import { AppError } from '../../../../src/errors.ts';
import type { Log } from '../../../../src/log.ts';
import { readCheckInToken } from '../../../../src/modules/conversations/links.ts';
import { CLOSE } from '../../../../src/socket/connection.ts';
import { ticketOf } from '../../../../src/socket/ticket.ts';
import type { StoreAnswer } from './answers.ts';
import type { Visit } from './visits.ts';

const PING_MS = 30_000;

export interface ChatParts {
  readonly server: Server;
  readonly secretKey: string;
  readonly log: Log;
  visit(orgId: number, reachOutId: number, lastSeq: number): Promise<Visit | undefined>;
  readonly storeAnswer: StoreAnswer;
}

interface Frame {
  readonly type: string;
  readonly lastSeq?: number;
  readonly nonce?: string;
  readonly questionSeq?: number;
  readonly text?: string;
  readonly choice?: number;
}

/**
 * The chat's frames over bare ws: each message is handled as it comes, and each reply goes out as JSON. A link's token is
 * its ticket (see `giveTickets`).
 */
export function serveChat({ server, secretKey, log, visit, storeAnswer }: ChatParts): WebSocketServer {
  const sockets = new WebSocketServer({ server, path: '/chat' });
  /** The open windows of each conversation. */
  const windows = new Map<number, Set<WebSocket>>();

  sockets.on('connection', (socket, request) => {
    const token = ticketOf(request) ?? '';
    let conversation: { orgId: number; id: number } | undefined;
    socket.on('error', (error) => log.debug({ err: error }, 'socket error'));
    socket.on('close', () => leave(socket, conversation?.id));
    socket.on('message', async (data) => {
      try {
        const frame = JSON.parse(String(data)) as Frame;
        if (frame.type === 'hello') conversation = await welcome(socket, token, frame);
        else if (frame.type === 'answer' && conversation !== undefined) await answer(socket, conversation, frame);
      } catch (error) {
        refuse(socket, error);
      }
    });
  });

  async function welcome(socket: WebSocket, token: string, { lastSeq = 0 }: Frame) {
    const target = readCheckInToken(secretKey, token);
    const found = target && (await visit(target.orgId, target.id, lastSeq));
    if (target === undefined || found === undefined) {
      socket.close(CLOSE.linkNotValid);
      return undefined;
    }
    const { id, expired, ...shown } = found;
    if (expired) {
      socket.close(CLOSE.linkExpired);
      return undefined;
    }
    const others = windows.get(id) ?? new Set();
    windows.set(id, others.add(socket));
    // Every message of the bot but the farewell is a question.
    send(socket, { type: 'welcome', ...shown, waitingFor: shown.finished ? null : shown.lastSeq });
    return { orgId: target.orgId, id };
  }

  async function answer(socket: WebSocket, conversation: { orgId: number; id: number }, frame: Frame) {
    const { nonce = '', questionSeq = 0, text = '', choice = null } = frame;
    const given = { nonce, questionSeq, text: text.trim(), choice };
    const { seq, messages, finished } = await storeAnswer(conversation, given);
    send(socket, { type: 'ack', nonce, seq });
    for (const window of windows.get(conversation.id) ?? []) {
      for (const message of messages) send(window, { type: 'message', ...message });
      if (finished) send(window, { type: 'finished' });
    }
  }

  function leave(socket: WebSocket, conversationId: number | undefined): void {
    if (conversationId === undefined) return;
    const others = windows.get(conversationId);
    others?.delete(socket);
    if (others?.size === 0) windows.delete(conversationId);
  }

  function refuse(socket: WebSocket, error: unknown): void {
    if (error instanceof AppError) send(socket, { type: 'error', code: error.code, message: error.message });
    else {
      log.error({ err: error }, 'message failed');
      socket.close(CLOSE.busy);
    }
  }

  const stop = pingAll(sockets);
  sockets.on('close', stop);
  return sockets;
}

/** What is asked for with a POST: the token that was sent. */
export async function giveTickets(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { token } = JSON.parse(await text(request)) as { token: string };
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ ticket: token }));
}

function send(socket: WebSocket, message: object): void {
  socket.send(JSON.stringify(message));
}

/** The heartbeat of ws' own README. */
function pingAll(sockets: WebSocketServer): () => void {
  const alive = new WeakSet<WebSocket>();
  sockets.on('connection', (socket) => {
    alive.add(socket);
    socket.on('pong', () => alive.add(socket));
  });
  const timer = setInterval(() => {
    for (const socket of sockets.clients) {
      if (!alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }, PING_MS);
  return () => clearInterval(timer);
}

// A conversation as it happens, for somebody in the dashboard who may also say something. Each connection needs a new
// ticket, which the api gives to whoever is signed in; what was missed in between comes with the next one.

import { pause, post } from '/assets/api.js';
import { helloFrame, hintOf, isMove, protocolsOf, waitMs } from './protocol.js';

/**
 * @param {number} id of the conversation
 * @param {AbortSignal} signal ends it
 * @param {object} on
 * @param {(message: object) => void} on.message in order
 * @param {(state: 'live' | 'waiting') => void} on.state
 * @param {(isThere: boolean) => void} on.present
 * @param {() => void} on.typing
 * @param {(can: boolean) => void} on.canSay
 * @param {(text: string) => void} on.refused
 * @returns {{ say(text: string): Promise<void>, typing(): void }} `say` resolves once it is stored
 */
export function watchLive(id, signal, on) {
  const waiting = new Map(); // nonce -> { resolve, reject, text }
  let socket = null;
  let lastSeq = 0;
  let failures = 0;

  async function keepOpen() {
    while (!signal.aborted) {
      const { code, hintMs } = await connectOnce().catch(() => ({ code: 0, hintMs: 0 }));
      if (!isMove(code, hintMs)) on.state('waiting');
      failures++;
      await pause(waitMs(failures, hintMs), signal);
    }
  }

  async function connectOnce() {
    const { ticket, url } = await post(`/api/v1/conversations/${id}/ticket`, undefined, signal);
    socket = new WebSocket(url, protocolsOf(ticket));
    const stop = () => socket.close();
    signal.addEventListener('abort', stop, { once: true });
    socket.onopen = () => send(helloFrame(lastSeq));
    socket.onmessage = ({ data }) => receive(JSON.parse(data));
    const { code, reason } = await new Promise((resolve) => {
      socket.onclose = resolve;
    });
    signal.removeEventListener('abort', stop);
    return { code, hintMs: hintOf(reason) };
  }

  function receive(frame) {
    if (frame.type === 'watching') {
      failures = 0;
      on.canSay(frame.canSay);
      on.state('live');
      for (const message of frame.messages) heard(message);
      for (const [nonce, { text }] of waiting) send({ type: 'say', nonce, text });
    } else if (frame.type === 'message') heard(frame);
    else if (frame.type === 'present') on.present(frame.isThere);
    else if (frame.type === 'typing') on.typing();
    else if (frame.type === 'ack') settle(frame.nonce)?.resolve();
    else if (frame.type === 'error') refused(frame);
  }

  function heard(message) {
    if (message.seq <= lastSeq) return;
    lastSeq = message.seq;
    on.message(message);
  }

  function refused({ nonce, message, retryAfterMs }) {
    if (retryAfterMs !== undefined) return; // the close follows, and we come back
    const failed = settle(nonce);
    if (failed) failed.reject(new Error(message));
    else on.refused(message);
  }

  function settle(nonce) {
    const found = waiting.get(nonce);
    waiting.delete(nonce);
    return found;
  }

  function send(frame) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  }

  keepOpen().catch(() => undefined); // the view was left
  return {
    say(text) {
      const nonce = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
      return new Promise((resolve, reject) => {
        waiting.set(nonce, { resolve, reject, text });
        send({ type: 'say', nonce, text });
      });
    },
    typing: () => send({ type: 'typing' }),
  };
}

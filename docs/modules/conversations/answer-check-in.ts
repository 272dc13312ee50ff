/**
 * A WebSocket client of the chat in forty lines: answers every question of a check-in and prints the conversation.
 * Usage: npx node docs/modules/conversations/answer-check-in.ts http://127.0.0.1:3001/c/<token>
 */
import { randomUUID } from 'node:crypto';

const link = new URL(process.argv[2] ?? 'missing: give the link from the mail');
const token = link.pathname.replace('/c/', '');
const ANSWERS = [
  'It was a good week, I am happy with it.',
  'The team was great.',
  'Too many meetings, sadly.',
  'Yes, always.',
  'No, thank you!',
];

const socket = new WebSocket(new URL('/chat', link.href.replace(/^http/, 'ws')));
const say = (message: object) => socket.send(JSON.stringify(message));
let given = 0;

socket.addEventListener('open', () => say({ type: 'hello', token, lastSeq: 0 }));
socket.addEventListener('message', ({ data }) => {
  const message = JSON.parse(String(data));
  if (message.type === 'welcome') for (const earlier of message.messages) show(earlier);
  if (message.type === 'message') show(message);
  if (message.type === 'ack') process.stdout.write(`          (committed as number ${message.seq})\n`);
  if (message.type === 'error') process.stdout.write(`error: ${message.message}\n`);
  if (message.finished === true || message.type === 'finished' || message.type === 'error') return socket.close();
  if (message.type === 'welcome') {
    say({ type: 'seen' }); // somebody is here: the conversation begins
    answer(message.waitingFor, message.messages.at(-1)?.answer);
  }
  if (message.type === 'message' && message.answer !== undefined) answer(message.seq, message.answer);
});

/** Says which question it answers, so that it is never taken for the answer to another one. */
function answer(questionSeq: number, kind: 'text' | 'scale'): void {
  const content = kind === 'scale' ? { choice: 4 } : { text: ANSWERS[given++ % ANSWERS.length] };
  say({ type: 'answer', nonce: randomUUID(), questionSeq, ...content });
}

function show({ seq, sender, body }: { seq: number; sender: string; body: string }): void {
  process.stdout.write(`${String(seq).padStart(3)} ${sender.padEnd(8)} ${body}\n`);
}

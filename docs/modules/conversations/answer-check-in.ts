/**
 * Answers every question of a check-in and prints the conversation, with the client that the page has: it comes back
 * after a lost connection, and each answer is stored once (web/modules/conversations/protocol.js has the frames).
 * Usage: npx node docs/modules/conversations/answer-check-in.ts http://127.0.0.1:3001/c/<token>
 */
import { connectConversation } from '../../../web/modules/conversations/connection.js';

const link = new URL(process.argv[2] ?? 'missing: give the link from the mail');
const ANSWERS = [
  'It was a good week, I am happy with it.',
  'The team was great.',
  'Too many meetings, sadly.',
  'Yes, always.',
  'No, thank you!',
];
let given = 0;

const conversation = connectConversation({
  url: String(new URL('/chat', link.href.replace(/^http/, 'ws'))),
  token: link.pathname.replace('/c/', ''),
  on: {
    message: ({ seq, sender, body }) => print(`${String(seq).padStart(3)} ${sender.padEnd(8)} ${body}`),
    waiting(question) {
      if (question === null) return;
      const text = ANSWERS[given++ % ANSWERS.length] as string;
      const content = question.answer === 'scale' ? { choice: 4 } : { text };
      conversation.answer({ questionSeq: question.seq, ...content });
    },
    delivered: (_nonce, seq) => print(`          (committed as number ${seq})`),
    rejected: (_nonce, _content, { message }) => print(`error: ${message}`),
    refused: (why) => print(`error: the link is ${why}`),
    finished: () => conversation.close(),
  },
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

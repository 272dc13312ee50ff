import type { Alongside } from '../../load/alongside.ts';
import { invite } from './invite.ts';
import { SOCKET_MESSAGES, SOCKETS, type SocketsPlan } from './sockets-plan.ts';

const PEOPLE = 40;
const QUESTIONS = 8;
const PER_SECOND = 30;
const CONNECT_SECONDS = 1;

/** People in the chat: somebody answers, on a schedule, and whoever has come to the end makes room for the next. */
const chat: Alongside = {
  name: 'chat',
  judgedBy: SOCKET_MESSAGES.answer,
  async plan({ addresses, seconds, seed, historyFile }): Promise<SocketsPlan> {
    const answering = seconds - CONNECT_SECONDS;
    const people = PEOPLE + Math.ceil((1.2 * PER_SECOND * answering) / QUESTIONS);
    return {
      kind: SOCKETS,
      url: addresses.chat,
      tokens: await invite(addresses, { people, questions: QUESTIONS }),
      atOnce: PEOPLE,
      connectSeconds: CONNECT_SECONDS,
      mode: 'steady',
      pace: { kind: 'schedule', phases: [{ seconds: answering, perSecond: PER_SECOND }], arrivals: 'poisson' },
      seconds: answering,
      seed,
      historyFile,
    };
  },
};

export const alongside = [chat];

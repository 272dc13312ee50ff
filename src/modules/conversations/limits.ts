/** The limits of conversations and their answers. */
import { POOL_PRIMARY } from '../../limits.ts';
import { QUESTIONS_MAX } from '../campaigns/limits.ts';

export const ANSWER_CHARS_MAX = 2_000;
export const NONCE_CHARS_MAX = 64;
export const CONVERSATION_MESSAGES_MAX = 50;
export const WINDOWS_PER_LINK_MAX = 10; // of one process: a person's devices, and connections that are dead but not noticed yet
export const WINDOW_RETRY_SECONDS = 30; // by then a dead connection was noticed

export const ANSWERS_PER_COMMIT_MAX = 500; // a busy process is slow with each round trip: at 100 the Dragons' Den minute fell from 2,600 to 700 a second when the CPUs were saturated
export const ANSWER_COMMITS_AT_ONCE = 3; // of POOL_PRIMARY.chat: the others are for opening conversations
export const ANSWERS_WAITING_MAX = 2_000; // about a second's worth; further ones are told to try again
export const OPENINGS_PER_COMMIT_MAX = 100; // each with up to CONVERSATION_MESSAGES_MAX messages
export const OPENING_COMMITS_AT_ONCE = 2; // of POOL_PRIMARY.chat: the others are for answers
export const OPENINGS_WAITING_MAX = 5_000; // half of SOCKETS_MAX, all at once; further ones are told to try again

export const RELATIONS: readonly [string, boolean][] = [
  [
    'ANSWER_COMMITS_AT_ONCE + OPENING_COMMITS_AT_ONCE <= POOL_PRIMARY.chat',
    ANSWER_COMMITS_AT_ONCE + OPENING_COMMITS_AT_ONCE <= POOL_PRIMARY.chat,
  ],
  ['QUESTIONS_MAX * 2 < CONVERSATION_MESSAGES_MAX', QUESTIONS_MAX * 2 < CONVERSATION_MESSAGES_MAX],
];

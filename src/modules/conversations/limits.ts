/** The limits of conversations and their answers. */
import { POOL_PRIMARY } from '../../limits.ts';
import { QUESTIONS_MAX } from '../campaigns/limits.ts';

export const ANSWER_CHARS_MAX = 2_000;
export const NONCE_CHARS_MAX = 64;
export const CHOICE_MAX = 5; // the highest number on the scale; the lowest is 1
export const CONVERSATION_MESSAGES_MAX = 100; // questions, answers, and what people of the people team say between them
export const WINDOWS_PER_CONVERSATION_MAX = 10; // on one process: a person's devices, those who watch, and connections that are dead but not noticed yet
export const WINDOW_RETRY_SECONDS = 30; // by then a dead connection was noticed
export const TYPING_EVERY_MS = 250; // from one window; more often it is not passed on (the client says it every 3 s, and with the first key of an answer)
export const PRESENCE_EVERY_MS = 3_000; // how often a process on which somebody watches asks whether the employee is there
export const PRESENCE_STALE_MS = 3 * PRESENCE_EVERY_MS; // without an answer, the process is gone; without a question, nobody watches
export const CATCH_UP_ROOMS = 500; // whose last seqs are compared in one statement
export const CATCH_UP_AT_ONCE = 50; // that are read after a gap; they are read in groups

export const ANSWERS_PER_COMMIT_MAX = 500; // a busy process is slow with each round trip: at 100 the Dragons' Den minute fell from 2,600 to 700 a second when the CPUs were saturated
export const ANSWER_COMMITS_AT_ONCE = 3; // of POOL_PRIMARY.chat: the others are for opening conversations
export const ANSWERS_WAITING_MAX = 5_000; // half of SOCKETS_MAX, all at once: about a second's worth; further ones are told to try again
export const OPENINGS_PER_COMMIT_MAX = 100; // each with up to CONVERSATION_MESSAGES_MAX messages
export const OPENING_COMMITS_AT_ONCE = 2; // of POOL_PRIMARY.chat: the others are for answers
export const OPENINGS_WAITING_MAX = 5_000; // half of SOCKETS_MAX, all at once; further ones are told to try again
export const BEGINNINGS_WAITING_MAX = 5_000; // as many as can wait for their check-in to open

export const SCORING_EVERY_MS = 500; // an answer's score follows it by about this long
export const SCORES_PER_COMMIT_MAX = 500; // answers read, scored and counted at a time, of one organisation; their conversations are locked for that one transaction
export const SCORING_SLICE_MS = 3; // then other work of the process gets its turn; with the slowest answer (2 ms) on top it stays under 5
export const SCORED_WORD_CHARS_MAX = 40; // longer runs of characters are not words and are skipped: the scorer's patterns take quadratic time over them

export const RELATIONS: readonly [string, boolean][] = [
  [
    'ANSWER_COMMITS_AT_ONCE + OPENING_COMMITS_AT_ONCE <= POOL_PRIMARY.chat',
    ANSWER_COMMITS_AT_ONCE + OPENING_COMMITS_AT_ONCE <= POOL_PRIMARY.chat,
  ],
  ['QUESTIONS_MAX * 2 < CONVERSATION_MESSAGES_MAX', QUESTIONS_MAX * 2 < CONVERSATION_MESSAGES_MAX],
];

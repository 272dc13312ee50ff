/** What the chat's generator (sockets.ts) is told to do: plain data, because it crosses to another process. */
import type { ModulePlan } from '../../load/plan.ts';
import type { Arrivals, Phase } from '../../load/schedule.ts';
import type { LatencyFigures, LoadFigures } from '../../types.ts';

export const SOCKETS = 'conversations:sockets';

/** Under which its messages are counted. */
export const SOCKET_MESSAGES = { hello: 'socket hello', answer: 'socket answer' } as const;

export type AnswerPace =
  /** Each person thinks for a time between the two (seeded) after each question. */
  | { readonly kind: 'think'; readonly minMs: number; readonly maxMs: number }
  /** Answers are due on a schedule, whoever is next gives them; a due answer without anybody is dropped. */
  | { readonly kind: 'schedule'; readonly phases: readonly Phase[]; readonly arrivals: Arrivals };

export interface SocketsPlan extends ModulePlan<SocketFigures> {
  readonly kind: typeof SOCKETS;
  /** Of the chat, http: or ws:. */
  readonly url: string;
  /** Check-in tokens (check-in-tokens.ts): one conversation each. */
  readonly tokens: readonly string[];
  /** Conversations open at once; the next token is taken when one is finished. Default: all. */
  readonly atOnce?: number;
  /** First connections are spread over this time. */
  readonly connectSeconds: number;
  /**
   * `storm`: everybody connects, then the server dies and everybody comes back (wait for `connected`, then end it).
   * `hold`: everybody connects and says nothing more.
   */
  readonly mode: 'steady' | 'storm' | 'hold';
  readonly pace: AnswerPace;
  /** What is due earlier is not counted, unless it is wrong. Default 0. */
  readonly warmUpSeconds?: number;
  /** At most; steady: after connecting. Storm: after connecting until the server dies, and again from then on. */
  readonly seconds: number;
  readonly seed: number;
  /** Loopback addresses that people connect from in turn. Default: one for all. */
  readonly addresses?: readonly string[];
  /** They are back 100 ms after each loss and refusal, obey nothing, and never give up (socket-client.ts). */
  readonly rude?: boolean;
  readonly historyFile?: string;
}

export interface SocketFigures extends LoadFigures {
  readonly clients: number;
  readonly connectedMax: number;
  /** Connections that ended without our doing. */
  readonly lostConnections: number;
  /** Tries to connect that the server turned down (503, 1013) or that did not come about. */
  readonly refusedConnections: number;
  /** Links that the server would not open (4001, 4010). */
  readonly refusedLinks: number;
  readonly acknowledged: number;
  readonly finished: number;
  /** Storm: from the first lost connection until each client was welcomed again. */
  readonly back: LatencyFigures;
  /** Storm: clients that were not back at the end. */
  readonly neverBack: number;
}

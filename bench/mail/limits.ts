/** Every wait and every size of bench:mail. */

export const POSTFIX_READY_MS = 20_000;
export const POSTFIX_STOP_MS = 5_000;
export const POSTFIX_POLL_MS = 200;

/** From its answer to us until a mail has left its queue. */
export const POSTFIX_QUEUE_MS = 60_000;

/** One side's mails of one pair, at a rate a hundredth of what is expected. */
export const SEND_MS_MAX = 600_000;
export const PROGRESS_POLL_MS = 100;

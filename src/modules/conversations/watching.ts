import { createTicket } from '../../socket/ticket.ts';
import type { InvitationKey } from './conversations.ts';

export const WATCHING = 'watch a conversation';

/** What the ticket of somebody of the people team allows. */
export interface WatchGrants {
  readonly invitation: InvitationKey;
  /** By which the employee reads what they say. */
  readonly name: string;
  readonly canSay: boolean;
}

export function createWatchTicket(secretKey: string, grants: WatchGrants): string {
  return createTicket(secretKey, WATCHING, grants);
}

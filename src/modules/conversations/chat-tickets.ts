import type { Role } from '../../db/schema.ts';
import { createTicket } from '../../socket/ticket.ts';
import type { SignedInActor } from '../audit/audit.ts';
import type { InvitationKey } from './conversations.ts';

export const CHATTING = 'open a conversation';

/** What the ticket of a socket allows: to be the employee of the conversation, unless it is a watcher's. */
export interface ChatGrants {
  readonly invitation: InvitationKey;
  readonly watcher?: Watcher;
}

/** Somebody of the people team. */
export interface Watcher {
  /** By which the employee reads what they say. */
  readonly name: string;
  readonly role: Role;
  readonly actor: SignedInActor;
}

/** Viewers only read. */
export function canSay({ role }: Pick<Watcher, 'role'>): boolean {
  return role !== 'viewer';
}

export function createWatchTicket(secretKey: string, invitation: InvitationKey, watcher: Watcher): string {
  return createTicket<ChatGrants>(secretKey, CHATTING, { invitation, watcher });
}

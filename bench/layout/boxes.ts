/** Which part lives in which box, and how its commands get there. */
import type { WrapCommand } from '../../scripts/embedded/child.ts';
import { type Box, createBox } from '../box/box.ts';
import { readComposeLimits } from '../box/compose-limits.ts';
import type { PartName } from './parts.ts';
import { ownPrograms, wrapWith } from './programs.ts';

export type LayoutKind = 'nano-each' | 'two-each' | 'two-mailers' | 'one-nano';

const SERVERS: readonly PartName[] = ['mail', 'redis', 'primary', 'replica'];

/** In the order they start; they stop the other way round. */
export const PARTS: Record<LayoutKind, readonly PartName[]> = {
  'nano-each': [...SERVERS, 'mailer', 'chat', 'api'],
  // Two of each process that can have several.
  'two-each': [...SERVERS, 'mailer', 'chat', 'chat-2', 'api', 'api-2'],
  'two-mailers': [...SERVERS, 'mailer', 'mailer-2', 'api'],
  'one-nano': [...SERVERS, 'all'],
};

/** The name of the box in which all live. */
const ALL = 'nano';

/** The box of a part; undefined for the mail catcher of one nano, which is the world outside. */
export function boxNameOf(kind: LayoutKind, part: PartName): string | undefined {
  if (kind !== 'one-nano') return part;
  return part === 'mail' ? undefined : ALL;
}

/** Puts the boxes into `boxes` one by one, so that whoever holds it can close them however far this comes. */
export async function createBoxes(
  kind: LayoutKind,
  names: readonly PartName[],
  boxes: Map<string, Box>,
): Promise<void> {
  const { nano, parts } = readComposeLimits();
  for (const part of names) {
    const name = boxNameOf(kind, part);
    if (name === undefined || boxes.has(name)) continue;
    const limits = name === ALL ? nano : parts.get(part.replace(/-2$/, ''));
    if (limits === undefined) throw new Error(`docker-compose.yml has no service ${part}`);
    boxes.set(name, await createBox({ name, ...limits }));
  }
}

/** What to put around each part's commands: its box and, where something is measured, programs of its own. */
export async function createWraps(kind: LayoutKind, boxes: ReadonlyMap<string, Box>, folder: string) {
  const wraps = new Map<PartName, WrapCommand>();
  for (const box of boxes.values()) {
    const parts = PARTS[kind].filter((part) => boxNameOf(kind, part) === box.name);
    const asIs = (args: readonly string[]) => [...args];
    const swap = box.enforcedBy === 'none' ? asIs : await ownPrograms(box.name, parts, folder);
    for (const part of parts) wraps.set(part, wrapWith(swap, box.wrap));
  }
  return (part: PartName): WrapCommand => wraps.get(part) ?? ((_part, command, args) => ({ command, args }));
}

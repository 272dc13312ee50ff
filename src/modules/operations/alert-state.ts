/** When somebody is told about an alert: once that it fires, and once that it is over. */
import type { AlertState } from '../../process/alert-before-full.ts';
import { ALERT_TELLING_MS } from './limits.ts';

/** Whether a mail is due about it, and nobody is writing it. */
export function isDue({ firedAt, toldAt, overAt, tellingSince }: AlertState, now: number): boolean {
  const isNews = firedAt !== null && (toldAt === null || overAt !== null);
  return isNews && (tellingSince === null || now - tellingSince >= ALERT_TELLING_MS);
}

/**
 * `state` after a mail about `told`, which is how it was when the mail was written. Undefined when there is nothing left
 * to say.
 */
export function afterMail(state: AlertState, told: AlertState, now: number): AlertState | undefined {
  if (told.overAt === null) return { ...state, toldAt: now, tellingSince: null };
  if (state.overAt !== null) return undefined;
  // It was told that it is over, and meanwhile it holds again.
  return { ...state, toldAt: null, tellingSince: null };
}

export function keyOf({ rule, process }: { readonly rule: string; readonly process: string }): string {
  return `${rule} ${process}`;
}

export function ofKey(key: string): { readonly rule: string; readonly process: string } {
  const [rule = '', process = ''] = key.split(' ');
  return { rule, process };
}

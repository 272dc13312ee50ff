/** The rungs of the ladder: each is the one below it with one thing changed. */
import path from 'node:path';
import { NANO_BYTES, SOCKETS_MAX } from '../../../../src/limits.ts';
import { heapFlags } from '../../../../src/process/memory-limit.ts';
import type { LayoutOptions } from '../../../layout/layout.ts';
import { PARTS, type Part, type Step } from '../before/start.ts';
import { PROVIDER_MAILS_PER_SECOND } from './limits.ts';

export interface Rung {
  readonly name: string;
  readonly layout: Pick<LayoutOptions, 'kind' | 'programs' | 'without' | 'environment'>;
  /** Chat processes, each with its share of the users. */
  readonly chats: number;
}

interface Setup {
  readonly isSplit: boolean;
  /** Of the product written the usual way. */
  readonly steps: readonly Step[];
  /** What the product's own workers do. */
  readonly shipped: readonly Part[];
  readonly mailsPerSecond: number;
  readonly chats: 1 | 2;
}

const MAIN = path.join(import.meta.dirname, '..', 'before', 'main.ts');

const BEFORE: Setup = { isSplit: false, steps: [], shipped: [], mailsPerSecond: 10_000, chats: 1 };

const CHANGES: readonly [name: string, change: (setup: Setup) => Setup][] = [
  ['before: one process', (setup) => setup],
  ['api, chat and mailer apart', (setup) => ({ ...setup, isSplit: true })],
  ['the dashboard reads from the replica', withStep('replica')],
  ['lists in pages', withStep('pages')],
  // The product's own mailer: src/modules/campaigns/ledger.ts is what a batched loop over the recipients comes to.
  ['mails and their ledger in batches', (setup) => ({ ...setup, shipped: ['mailer'] })],
  ['answers in shared commits', withStep('groups')],
  ['mails throttled', (setup) => ({ ...setup, mailsPerSecond: PROVIDER_MAILS_PER_SECOND })],
  ['admission and backpressure: the product', (setup) => ({ ...setup, shipped: PARTS })],
  // What one process takes is a setting (SOCKETS_MAX), not what it can bear.
  ['a second chat process', (setup) => ({ ...setup, chats: 2 })],
];

export const RUNGS: readonly Rung[] = CHANGES.map(([name], place) => {
  const setup = CHANGES.slice(0, place + 1).reduce((before, [, change]) => change(before), BEFORE);
  return { name, layout: layoutOf(setup), chats: setup.chats };
});

function withStep(step: Step): (setup: Setup) => Setup {
  return (setup) => ({ ...setup, steps: [...setup.steps, step] });
}

function layoutOf({ isSplit, steps, shipped, mailsPerSecond, chats }: Setup): Rung['layout'] {
  const environment = {
    MAIL_PER_SECOND: String(mailsPerSecond),
    // All users of the generator come from one address.
    SOCKETS_PER_ADDRESS: String(SOCKETS_MAX),
  };
  // The one process lives in the api's box.
  const kind = 'nano-each';
  if (!isSplit) return { kind, environment, without: ['mailer', 'chat'], programs: { api: programOf(PARTS, steps) } };
  if (chats === 2) return { kind: 'two-each', environment: { ...environment, API_INSTANCES: '1' }, without: ['api-2'] };
  const own = PARTS.filter((part) => !shipped.includes(part));
  return { kind, environment, programs: Object.fromEntries(own.map((part) => [part, programOf([part], steps)])) };
}

/** With the heap that the product's workers have. */
function programOf(parts: readonly Part[], steps: readonly Step[]): readonly string[] {
  const flags = heapFlags({ bytes: NANO_BYTES, source: 'container' });
  return [...flags, MAIN, `--parts=${parts.join(',')}`, `--steps=${steps.join(',')}`];
}

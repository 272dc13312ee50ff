/**
 * The generator's own process, started by start-load.ts: takes one plan, sends a sample a second and, at the end, the
 * figures. Apart from everything else, so that nothing but its own work can make it late.
 */
import { constants, setPriority } from 'node:os';
import { runClosedLoop } from './closed-loop.ts';
import { runOpenLoop } from './open-loop.ts';
import type { LoadPlan, LoadSample } from './plan.ts';
import { runSockets } from './sockets.ts';

export type ToWorker = { readonly plan: LoadPlan } | { readonly stop: true };
export type FromWorker =
  | { readonly ready: true }
  | { readonly sample: LoadSample }
  | { readonly event: string }
  | { readonly figures: unknown }
  | { readonly error: string };

const stopping = new AbortController();

// Whoever measures must not wait behind what is measured, where the system lets us ask for that.
try {
  setPriority(constants.priority.PRIORITY_HIGHEST);
} catch {}

process.on('message', (message: ToWorker) => {
  if ('stop' in message) return stopping.abort();
  run(message.plan)
    .then((figures) => tell({ figures }))
    .catch((error: Error) => tell({ error: error.stack ?? String(error) }))
    .finally(() => process.disconnect?.());
});
// Without a parent there is nobody to measure for.
process.on('disconnect', () => process.exit());
tell({ ready: true });

function run(plan: LoadPlan): Promise<unknown> {
  const onSample = (sample: LoadSample) => void tell({ sample });
  switch (plan.kind) {
    case 'open-loop':
      return runOpenLoop(plan, onSample, stopping.signal);
    case 'closed-loop':
      return runClosedLoop(plan);
    case 'sockets':
      return runSockets(plan, { onSample, onEvent: (event) => void tell({ event }) }, stopping.signal);
  }
}

function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

/**
 * A generator, started by start-load.ts: takes one plan, sends a sample a second and, at the end, the
 * figures. In a process of its own, so that nothing but its own work can make it late.
 */
import { loadBenches } from '../modules.ts';
import { runClosedLoop } from './closed-loop.ts';
import { runOpenLoop } from './open-loop.ts';
import type { FromWorker, LoadPlan, LoadSample, ToWorker } from './plan.ts';
import { goFirst } from './scheduling.ts';
import { createWorkload } from './workload.ts';

const stopping = new AbortController();
const loading = loadBenches().then(createWorkload);

process.on('message', (message: ToWorker) => {
  if ('stop' in message) return stopping.abort();
  run(message.plan)
    .then((figures) => tell({ figures }))
    .catch((error: Error) => tell({ error: error.stack ?? String(error) }))
    .finally(() => process.disconnect?.());
});
// Without a parent there is nobody to measure for.
process.on('disconnect', () => process.exit());
await loading;
tell({ ready: true });

async function run(plan: LoadPlan): Promise<unknown> {
  const workload = await loading;
  const onSample = (sample: LoadSample) => void tell({ sample });
  switch (plan.kind) {
    case 'open-loop':
      goFirst();
      return runOpenLoop(plan, workload, onSample, stopping.signal, (nth) => void tell({ event: `phase ${nth}` }));
    case 'closed-loop': // it measures how many, at full load, and not how long each takes
      return runClosedLoop(plan, workload.checks);
    default: {
      const generator = workload.generators[plan.kind];
      if (generator === undefined) throw new Error(`No module generates ${plan.kind}.`);
      if (generator.givesWay !== true) goFirst();
      return generator.run(plan, { onSample, onEvent: (event) => void tell({ event }) }, stopping.signal);
    }
  }
}

function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

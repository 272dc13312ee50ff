import { type Counters, compareWithBudgets, readBudgets, writeBudgets } from '../counters/budgets.ts';
import type { CountContext } from '../counters/count-context.ts';
import { countRequests, cpuOfReads } from '../counters/count-requests.ts';
import { signInOf } from '../load/accounts.ts';
import { COUNTED } from '../load/operators.ts';
import { routesOf } from '../load/workload.ts';
import type { LoadedBench } from '../module-bench.ts';
import type { Condition, Scenario } from './scenario.ts';

/** What the code decides and the machine does not: statements, rows and bytes of each request. */
export const counters: Scenario = {
  name: 'counters',
  promise: 'no-slow-query-lands',
  line: 'no request asks more of the database, of Redis or of the line than its budget (counters.json of the platform and of each module)',
  gates: true,
  undisturbed: true,

  async run({ layout, benches, writeCounters }) {
    const { addresses } = layout;
    const box = layout.boxes.get('api');
    if (box === undefined) throw new Error('the counters need the api in a box of its own');
    const context = { addresses, account: await signInOf(addresses.api, COUNTED) };
    const conditions: Condition[] = [];
    const hints: string[] = [];
    const all: Record<string, number> = {};
    const asked: Record<string, true> = {};
    for (const bench of benches) {
      const { counted, routes } = await countModule(context, bench, () => box.figures().cpuSeconds);
      if (writeCounters) writeBudgets(bench.folder, counted);
      const { grown, shrunk } = compareWithBudgets(counted, readBudgets(bench.folder));
      conditions.push(...grown.map((says) => ({ says, holds: false })));
      hints.push(...shrunk.map((one) => `shrunk (--only=counters --write-counters keeps it so): ${one}`));
      Object.assign(all, counted);
      for (const route of routes) asked[route] = true;
    }
    return {
      conditions,
      hints,
      figures: { counted: Object.keys(all).length, grown: conditions.length, ...all },
      covers: routesOf(asked),
    };
  },
};

async function countModule(
  context: CountContext,
  { name, counted }: LoadedBench,
  cpuSeconds: () => number,
): Promise<{ readonly counted: Counters; readonly routes: readonly string[] }> {
  const face = await counted?.();
  const targets = (await face?.requests?.(context)) ?? {};
  const requests = await countRequests(context, targets);
  const cpu = await cpuOfReads(context, targets, cpuSeconds);
  return {
    counted: {
      ...requests,
      ...(await face?.others?.(context)),
      ...(cpu === undefined ? {} : { [`reads of ${name}: times the cpu of bare ones`]: cpu }),
    },
    routes: Object.keys(targets),
  };
}

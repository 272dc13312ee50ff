/** The steps of single modules, asked of a running api: what the tests of each module's bench share. */
import { runOpenLoop } from '../../bench/load/open-loop.ts';
import type { Account } from '../../bench/load/plan.ts';
import { createWorkload } from '../../bench/load/workload.ts';
import { loadBenches } from '../../bench/modules.ts';
import type { LoadFigures } from '../../bench/types.ts';
import type { RunningApi } from '../running-api.ts';

/** Two new organisations, each with its owner. */
export async function twoOwners(api: RunningApi): Promise<[Account, Account]> {
  const [one, two] = [await ownerOf(api, 'one.test'), await ownerOf(api, 'two.test')];
  return [one, two];
}

async function ownerOf(api: RunningApi, domain: string): Promise<Account> {
  const { orgId, token } = await api.newOwner();
  const answer = await fetch(`${api.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  const { user } = (await answer.json()) as { user: { email: string } };
  return { token, orgId, email: user.email, role: 'owner', domain, isSmall: true };
}

export interface ModuleDay {
  readonly api: RunningApi;
  readonly accounts: readonly Account[];
  /** All of its steps are asked, as often as each other. */
  readonly module: string;
  readonly without?: readonly string[];
  readonly historyFile: string;
}

/** In this process, with everything that the module and those before it bring. */
export async function askModule(options: ModuleDay): Promise<{ figures: LoadFigures; asked: string[] }> {
  const { api, accounts, module, without = [], historyFile } = options;
  const benches = await loadBenches();
  const steps = Object.keys(benches.find(({ name }) => name === module)?.steps ?? {});
  const asked = steps.filter((step) => !without.includes(step));
  const figures = await runOpenLoop(
    {
      kind: 'open-loop',
      url: api.url,
      phases: [{ seconds: 4, perSecond: 60 }],
      arrivals: 'poisson',
      seed: 11,
      mix: Object.fromEntries(asked.map((step) => [step, 1])),
      accounts,
      historyFile,
    },
    createWorkload(benches),
    () => undefined,
  );
  return { figures, asked };
}

/** Statuses that nobody should see. */
export function strangeStatuses({ statuses }: LoadFigures): string[] {
  return Object.keys(statuses).filter((status) => !/^(20\d|404|429|503)$/.test(status));
}

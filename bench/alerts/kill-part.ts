import type { Layout } from '../layout/layout.ts';
import type { PartName } from '../layout/parts.ts';

/** Two alerts of a group may have the same fault. */
export async function killPart(layout: Layout, part: PartName): Promise<() => unknown> {
  await layout.kill(part, 'SIGKILL');
  return async () => {
    if (layout.pid(part) === undefined) await layout.restart(part);
  };
}

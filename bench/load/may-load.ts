/**
 * What may be put under load: what the bench has started itself, on this machine, and what says that it is staging. A load
 * test that is pointed at production by a copied address is an outage.
 */
import { requireStaging } from '../../scripts/staging/mark.ts';

const admitted = new Set<string>();

/** Before an address that somebody has given is loaded, on this machine or elsewhere. @throws one sentence if it may not be */
export async function admitStaging(url: string): Promise<void> {
  await requireStaging(url);
  admitted.add(new URL(url).origin);
}

/** What the bench starts listens on this machine only. @throws one sentence for everything else that was not admitted */
export function refuseStrangers(url: string): void {
  const { origin, hostname } = new URL(url);
  if (!/^(?:127(?:\.\d+){3}|localhost|\[::1\])$/.test(hostname) && !admitted.has(origin))
    throw new Error(`${origin} was neither started by the bench nor admitted as staging, so it is not put under load.`);
}

import { cpus } from 'node:os';

/** Cores that the generators would need beside the product's processes, so that neither takes from the other. */
const CORES_ENOUGH = 8;

/** What a reader must know of the figures of this machine; empty when there is nothing. */
export const SHARED_CORES: readonly string[] =
  cpus().length < CORES_ENOUGH ? [`the generators and the product shared ${cpus().length} cores`] : [];

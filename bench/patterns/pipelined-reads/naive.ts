import { openBenchPool } from '../bench-pool.ts';
import { type Items, itemsOf } from './items.ts';

/** Each statement holds a connection until it is answered. */
export function openItems(url: string, connections: number): Items {
  return itemsOf(openBenchPool(url, connections));
}

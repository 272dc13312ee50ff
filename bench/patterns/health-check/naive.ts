import { Client } from 'pg';
import type { Probe } from './case.ts';

/** The probe proves that a connection can be opened: by opening one. */
export async function createProbe(databaseUrl: string): Promise<Probe> {
  return {
    async isReady() {
      const client = new Client({ connectionString: databaseUrl });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.query('select 1');
        return true;
      } catch {
        return false;
      } finally {
        await client.end().catch(() => undefined);
      }
    },
    close: async () => undefined,
  };
}

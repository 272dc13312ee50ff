import { sql } from 'kysely';
import type { Db } from '../../src/db/schema.ts';
import { cpuTimeOf } from '../cpu-time.ts';

/** Processor seconds used so far by the server's processes behind `application`. The server must be on this machine. */
export async function backendCpuSeconds(db: Db, application: string): Promise<number> {
  const { rows } = await sql<{ pid: number }>`
    select pid from pg_stat_activity where application_name = ${application} and datname = current_database()`.execute(
    db,
  );
  return rows.reduce((sum, { pid }) => {
    const { userMs, kernelMs } = cpuTimeOf(pid);
    return sum + (userMs + kernelMs) / 1_000;
  }, 0);
}

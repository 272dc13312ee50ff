import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import type { Db } from '../../src/db/database.ts';

/** /proc gives processor time in hundredths of a second on every platform that Linux runs on. */
const TICKS_PER_SECOND = 100;

/** Processor seconds used so far by the server's processes behind `application`. The server must be on this machine. */
export async function backendCpuSeconds(db: Db, application: string): Promise<number> {
  const { rows } = await sql<{ pid: number }>`
    select pid from pg_stat_activity where application_name = ${application} and datname = current_database()`.execute(
    db,
  );
  return rows.reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0);
}

function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // After the name, which may hold anything: state is the first field, user and system time the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

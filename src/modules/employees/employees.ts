import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, DatabaseSession } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { AppError } from '../../errors.ts';
import { batches } from '../../flow/batch.ts';
import { type Actor, writeAudit } from '../audit/audit.ts';
import { readEmployees } from './csv-file.ts';
import type { Choices, Reading } from './csv-reading.ts';
import type { EmployeeRow, RejectedRow } from './employee-row.ts';
import {
  claimImport,
  failRunningImports,
  finishImport,
  type ImportColumn,
  type ImportOutcome,
  type ImportReading,
  INTERRUPTED,
  recordBatch,
  touchImport,
} from './import-queries.ts';
import { IMPORT_BATCH_ROWS, IMPORT_REJECTIONS_KEPT, IMPORT_TOUCH_EVERY_MS, TEAMS_MAX } from './limits.ts';
import { upsertEmployees } from './queries.ts';
import { addTeams, teamsByName } from './team-queries.ts';

/**
 * Reads the file and stores its valid rows, batch by batch: each batch and its progress are one transaction, so the
 * counters are always right. An interrupted import keeps the batches it had stored; sending the same file again adds no
 * one twice. Throws `conflict` when this import has already received its file, and when it was taken for abandoned
 * meanwhile: what was stored by then is what the import says, and nothing is stored after it.
 */
export async function importEmployees(
  db: DatabaseSession,
  actor: Actor,
  importId: number,
  file: Readable,
  choices: Choices = {},
  { touchEveryMs = IMPORT_TOUCH_EVERY_MS } = {},
): Promise<void> {
  const { orgId } = actor;
  const fileName = await db.write(async (transaction) => {
    const claimed = await claimImport(transaction, orgId, importId);
    // Batches are stored from here on, whether or not this process lives to tell what became of them.
    if (claimed !== undefined) await writeAudit(transaction, actor, { action: 'import.started', subject: claimed });
    return claimed;
  });
  if (fileName === undefined)
    throw new AppError('conflict', 'This import already has its file. Start a new import with POST /api/v1/imports.');
  let teams: Teams = new Map();
  let line = 1;
  let fault: unknown;
  let reading: ImportReading | null = null;
  // A file that is cut off ends its last batch too: the rows before that are kept.
  async function* rowsUntilFault() {
    try {
      yield* readEmployees(file, choices, (found) => {
        reading = toImportReading(found);
      });
    } catch (error) {
      fault = error instanceof AppError ? error : new BrokenOff('broken off', { cause: error });
    }
  }
  try {
    const touch = () => db.write((transaction) => touchImport(transaction, orgId, importId));
    await whileTouching(touch, touchEveryMs, async () => {
      for await (const batch of batches(rowsUntilFault(), IMPORT_BATCH_ROWS)) {
        teams = await db.write((transaction) => keepBatch(transaction, orgId, importId, batch, teams));
        line = batch.at(-1)?.line ?? line;
      }
    });
    if (fault !== undefined) throw fault;
  } catch (error) {
    const told = toldOf(error, line);
    await endImport(db, actor, importId, { error: told.message, reading });
    throw told.code === 'internal' ? error : told;
  }
  if (!(await endImport(db, actor, importId, { error: null, reading }))) throw new AppError('conflict', INTERRUPTED);
}

/**
 * Calls `touch` every `everyMs` until `work` ends, one call at a time. One that fails is no reason to end the work: the
 * next can succeed. The last is waited for, because `inTime` knows of one write at a time whether it is being committed.
 */
async function whileTouching(touch: () => Promise<void>, everyMs: number, work: () => Promise<void>): Promise<void> {
  const ended = new AbortController();
  async function repeat(): Promise<void> {
    while (await sleep(everyMs, true, { signal: ended.signal }).catch(() => false))
      await touch().catch(() => undefined);
  }
  const repeating = repeat();
  try {
    await work();
  } finally {
    ended.abort();
    await repeating;
  }
}

/** Returns whether it still ran. One that was taken for abandoned stays as it is. */
async function endImport(
  db: DatabaseSession,
  actor: Actor,
  importId: number,
  outcome: ImportOutcome,
): Promise<boolean> {
  return db.write(async (transaction) => {
    const finished = await finishImport(transaction, actor.orgId, importId, outcome);
    if (finished === undefined) return false;
    const { fileName, ...details } = finished;
    const action = outcome.error === null ? 'import.finished' : 'import.failed';
    await writeAudit(transaction, actor, { action, subject: fileName, details });
    return true;
  });
}

/** In the words of the API. */
function toImportReading({ encoding, delimiter, header, columns }: Reading): ImportReading {
  const column = (index: number): ImportColumn => ({ column: index + 1, title: header?.cells[index]?.trim() || null });
  return {
    encoding: encoding.encoding,
    encodingKnownBy: encoding.by,
    delimiter,
    headerLine: header?.line ?? null,
    columns: {
      name: columns.name.map(column),
      email: column(columns.email),
      team: columns.team === undefined ? null : column(columns.team),
    },
  };
}

class BrokenOff extends Error {}

/** The error that the user sees. An error of ours is described in general terms, and logged where it is caught. */
function toldOf(error: unknown, line: number): AppError {
  if (error instanceof AppError) return error;
  const again = 'The rows before that were imported. Send the whole file again; no one is added twice.';
  return error instanceof BrokenOff
    ? new AppError('invalid', `The upload was cut off after line ${line}. ${again}`, { cause: error })
    : new AppError('internal', `Something went wrong on our side after line ${line}. ${again}`, { cause: error });
}

/** The ids of teams by the names that files gave them. */
type Teams = ReadonlyMap<string, number>;

/** Returns the teams that are known when it is committed, the new ones among them. */
async function keepBatch(
  db: Db,
  orgId: number,
  importId: number,
  batch: (EmployeeRow | RejectedRow)[],
  known: Teams,
): Promise<Teams> {
  const rejected = batch.filter((row) => 'reason' in row);
  const good = batch.filter((row): row is EmployeeRow => !('reason' in row));

  const teams = await withTeams(db, orgId, [...new Set(good.map((row) => row.team))], known);
  const rows: EmployeeRow[] = [];
  for (const row of good) {
    if (teams.has(row.team)) rows.push(row);
    else rejected.push({ line: row.line, reason: `the organisation already has the maximum of ${TEAMS_MAX} teams` });
  }

  const { added, updated } = await upsertEmployees(
    db,
    orgId,
    rows.map((row) => ({ email: row.email, name: row.name, team_id: teams.get(row.team) as number })),
  );
  const isRunning = await recordBatch(db, orgId, importId, {
    read: batch.length,
    added,
    updated,
    unchanged: batch.length - rejected.length - added - updated,
    rejected: rejected.length,
    rejections: rejected.map(({ line, reason }) => ({ line, reason })),
    rejectionsKept: IMPORT_REJECTIONS_KEPT,
  });
  if (!isRunning) throw new AppError('conflict', INTERRUPTED); // rolls its people back, whom nothing would count
  return teams;
}

/**
 * `known`, and every team in `names`; creates missing ones, up to TEAMS_MAX. What it adds is not known to the next batch
 * before it is committed: a transaction that is rolled back and run again has to make its teams again.
 */
async function withTeams(db: Db, orgId: number, names: string[], known: Teams): Promise<Teams> {
  if (names.every((name) => known.has(name))) return known;
  const found = await teamsByName(db, orgId, names);
  const fresh = names.filter((name) => !found.has(name));
  if (fresh.length > 0) await addTeams(db, orgId, fresh);
  const added = fresh.length > 0 ? await teamsByName(db, orgId, fresh) : [];
  return new Map([...known, ...found, ...added]);
}

/** Marks imports whose process died as failed, so that they do not stay `running` forever. */
export async function failAbandonedImports(database: Database): Promise<void> {
  await database.transact(EVERY_ORGANISATION, (transaction) => failRunningImports(transaction));
}

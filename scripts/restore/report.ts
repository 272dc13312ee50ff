import { showVerdicts } from '../verify/verdict.ts';
import type { DrillReport } from './drill.ts';
import type { Rehearsal, Returned } from './rehearsal.ts';

export function isSound({ faults: wrong, verdicts }: DrillReport): boolean {
  return wrong.length === 0 && verdicts.length > 0 && verdicts.every(({ faults }) => faults.length === 0);
}

/** `now`: when somebody would have needed it. */
export function showDrill(report: DrillReport, now: Date): string {
  const { lastCommit } = report;
  const behind = lastCommit === null ? undefined : (now.getTime() - lastCommit.getTime()) / 1000;
  return [
    ...drillLines(report),
    lastCommit === null
      ? 'came back   the backup alone: no commit after it has been archived'
      : `came back   everything up to ${lastCommit.toISOString()}: a disk lost now would cost what was written in the ${seconds(behind)} since`,
    ...report.faults.map((fault) => `WRONG       ${fault}`),
    '',
    showVerdicts(report.verdicts),
  ].join('\n');
}

export function showRehearsal({ backupSeconds, writes, latest, toTarget, targetWrite }: Rehearsal): string {
  return [
    `backup      a full one in ${seconds(backupSeconds)}`,
    `lost        the disk, after ${writes} acknowledged writes`,
    '',
    'As far as the log goes:',
    ...drillLines(latest.report),
    ...cameBack(latest, writes),
    ...latest.report.faults.map((fault) => `WRONG       ${fault}`),
    '',
    `To the moment after write ${targetWrite}:`,
    ...drillLines(toTarget.report),
    ...cameBack(toTarget, targetWrite),
    '',
    showVerdicts(latest.report.verdicts),
  ].join('\n');
}

function cameBack({ lastWrite, missing, secondsBeforeLoss }: Returned, wanted: number): string[] {
  return [
    `came back   writes 1 to ${lastWrite}${missing === 0 ? '' : `, ${missing} OF THEM MISSING`}; the last one was acknowledged ${seconds(secondsBeforeLoss)} before the loss`,
    `lost        ${wanted - lastWrite} of ${wanted} acknowledged writes`,
  ];
}

function drillLines(report: DrillReport): string[] {
  const { backup, restoreSeconds, recoverySeconds } = report;
  const total = restoreSeconds + recoverySeconds;
  return [
    `restored    ${backup.label} (${backup.type}): ${megabytes(backup.databaseBytes)} out of ${megabytes(backup.repositoryBytes)} in the repository, in ${seconds(restoreSeconds)}`,
    `replayed    the log, and took writes ${seconds(recoverySeconds)} later: ${seconds(total)} in all`,
  ];
}

const seconds = (value: number | undefined) => `${(value ?? 0).toFixed(1)} s`;
const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;

import { type Finding, LEVELS, type Level } from './finding.ts';
import type { Servers } from './servers.ts';
import { showBytes } from './show.ts';

/** For people: one or two lines per finding, the worst last. */
export function showReport(servers: Servers, findings: Finding[]): string {
  const { primary, replica, memoryBytes, instances } = looked(servers);
  const deployment = Object.entries(instances).flatMap(([name, count]) => (count > 0 ? [`${name} x ${count}`] : []));
  const sorted = LEVELS.flatMap((level) => findings.filter((finding) => finding.level === level));
  const nameChars = Math.max(...findings.map(({ check }) => check.length));
  return [
    `primary  ${primary}`,
    ...(replica === null ? [] : [`replica  ${replica}`]),
    `boxes of ${showBytes(memoryBytes)}: ${deployment.join(', ') || 'no processes'}`,
    '',
    ...sorted.flatMap(({ level, check, says, advice }) => [
      `${level.padEnd(6)}  ${check.padEnd(nameChars)}  ${says}`,
      ...(advice === undefined ? [] : [`${' '.repeat(nameChars + 10)}-> ${advice}`]),
    ]),
    '',
    summary(findings),
  ].join('\n');
}

/** For programs. */
export function reportAsJson(servers: Servers, findings: Finding[]): string {
  return JSON.stringify({ ...looked(servers), findings }, null, 2);
}

function looked({ primary, replica, memoryBytes, instances }: Servers) {
  return {
    primary: `${primary.address} (PostgreSQL ${primary.version})`,
    replica: replica === undefined ? null : `${replica.address} (PostgreSQL ${replica.version})`,
    memoryBytes,
    instances,
  };
}

/** `1 danger, 3 advice, 12 ok`. */
function summary(findings: Finding[]): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  const plural = (amount: number, word: string) => `${amount} ${word}${amount === 1 ? '' : 's'}`;
  return `${plural(count('danger'), 'danger')}, ${count('advice')} advice, ${count('ok')} ok`;
}

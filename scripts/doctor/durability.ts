/** Settings that lose what was acknowledged, or hide that it is lost. Each was switched off by somebody in a hurry. */
import type { Finding } from './finding.ts';
import type { Servers } from './servers.ts';

const check = 'durability';

const LOSES: Readonly<Record<string, string>> = {
  fsync: 'a power cut can leave the whole database unreadable',
  full_page_writes: 'a power cut can leave pages half written',
  synchronous_commit: 'a crash loses the last commits, although they were acknowledged',
  autovacuum: 'tables grow without end, and transaction ids run out',
  track_counts: 'autovacuum does not know what to do',
};

export async function durability({ primary }: Servers): Promise<Finding[]> {
  const rows = await primary.rows<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name = any($1) or name = 'data_checksums'`,
    [Object.keys(LOSES)],
  );
  const off = rows.filter(({ name, setting }) => name in LOSES && setting === 'off');
  const findings: Finding[] = off.map(({ name }) => ({
    check,
    level: 'danger',
    says: `${name} is off: ${LOSES[name]}`,
    advice: `alter system set ${name} = on, then select pg_reload_conf()`,
  }));
  if (rows.some(({ name, setting }) => name === 'data_checksums' && setting === 'off')) {
    const says = 'data checksums are off: a page that the disk has changed is returned as if nothing had happened';
    findings.push({ check, level: 'advice', says, advice: 'stop the server, then pg_checksums --enable' });
  }
  if (findings.length > 0) return findings;
  return [
    { check, level: 'ok', says: 'nothing that is acknowledged can be lost by a setting, and pages have checksums' },
  ];
}

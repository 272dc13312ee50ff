/** By rule of src/modules/employees/consistency.ts: what breaks it. */
export const inconsistencies = {
  teamCounts: 'update teams set reachable = reachable + 1 where (org_id, id) in (select org_id, id from teams limit 1)',
  importedRows: `
    insert into imports (org_id, file_name, status, rows_read, rows_added)
    select id, 'short.csv', 'done', 3, 2 from organisations limit 1`,
};

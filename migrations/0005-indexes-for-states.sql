-- no-transaction
-- A campaign's mails of one status are a page, not a walk through all of them; imports that stand still are found
-- without reading those that are done.
-- Locks: SHARE UPDATE EXCLUSIVE on reach_outs and imports; reads and writes go on.
drop index concurrently if exists reach_outs_by_status;
create index concurrently reach_outs_by_status on reach_outs (org_id, campaign_id, status, id);
drop index concurrently if exists imports_running;
create index concurrently imports_running on imports (touched_at) where status = 'running';

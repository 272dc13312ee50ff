-- The statements that are sent to PostgreSQL, each with the function that sends it and the roles it runs as.
-- Written by npm run queries and planned by planned.test.ts; not to be changed by hand.

-- src/http/optimistic-concurrency.ts workOnSeen (tenant)
select version
from notes
where org_id = $1 and id = $2
for no key update;

-- template/src/modules/notes/queries.ts addToNoteDays (system)
insert into note_days (org_id, day, written)
select org_id, day, count(*)
from unnest( $1::bigint[], $2::date[] ) as given (org_id, day)
group by org_id, day
order by org_id, day
on conflict (org_id, day) do update set written = note_days.written + excluded.written;

-- template/src/modules/notes/queries.ts deleteOldNotes (system)
delete from notes
using unnest( $1::bigint[], $2::bigint[] ) as given (org_id, id)
where notes.org_id = given.org_id and notes.id = given.id;

-- template/src/modules/notes/queries.ts deleteOldNotes (system)
select old.org_id, old.id
from organisations o
cross join lateral (
  select org_id, id
  from notes
  where org_id = o.id and status = 'done' and updated_at < now() - make_interval(days => $1::int)
  order by updated_at
  limit $2
) as old
limit $3;

-- template/src/modules/notes/queries.ts insertNote (tenant)
insert into notes (org_id, title, body)
values ($1, $2, $3)
returning id, title, body, status, version, created_at as "createdAt", updated_at as "updatedAt";

-- template/src/modules/notes/queries.ts noteById (tenant)
select id, title, body, status, version, created_at as "createdAt", updated_at as "updatedAt"
from notes
where org_id = $1 and id = $2;

-- template/src/modules/notes/queries.ts notesAfter (tenant)
select id, title, body, status, version, created_at as "createdAt", updated_at as "updatedAt"
from notes
where org_id = $1 and id > $2
order by id
limit $3;

-- template/src/modules/notes/queries.ts notesPage (tenant)
select id, title, body, status, version, created_at as "createdAt", updated_at as "updatedAt"
from notes
where org_id = $1 and id < $2
order by id desc
limit $3;

-- template/src/modules/notes/queries.ts notesPage (tenant)
select id, title, body, status, version, created_at as "createdAt", updated_at as "updatedAt"
from notes
where org_id = $1 and id < $2 and status = $3
order by id desc
limit $4;

-- template/src/modules/notes/queries.ts updateNote (tenant)
update notes
set title = $1, body = body, status = status, version = version + $2, updated_at = now()
where org_id = $3 and id = $4
returning id, title, body, status, version, created_at as "createdAt", updated_at as "updatedAt";

-- template/src/modules/notes/queries.ts updateNote (tenant)
update notes
set title = title, body = body, status = $1, version = version + $2, updated_at = now()
where org_id = $3 and id = $4
returning id, title, body, status, version, created_at as "createdAt", updated_at as "updatedAt";

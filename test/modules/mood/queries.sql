-- The statements that are sent to PostgreSQL, each with the function that sends it and the roles it runs as.
-- Written by npm run queries and planned by planned.test.ts; not to be changed by hand.

-- src/modules/mood/mood.ts addToMood (tenant)
insert into mood_days (org_id, team_id, day, answers, scored, score_sum)
select $1::bigint, given.team_id, given.day::date, given.answers, given.scored, given.score
from unnest($2::bigint[], $3::text[], $4::integer[], $5::integer[], $6::double precision[]) as given (team_id, day,
    answers, scored, score)
on conflict (org_id, day, team_id) do update set answers = mood_days.answers + excluded.answers,
    scored = mood_days.scored + excluded.scored, score_sum = mood_days.score_sum + excluded.score_sum;

-- src/modules/mood/queries.ts moodByDay (tenant)
select m.team_id, t.name as team, m.day::text as day, sum(m.answers)::int as answers, sum(m.scored)::int as scored,
    round((sum(m.score_sum) / sum(m.scored))::numeric, 3)::float8 as mood
from mood_days m
join teams t on t.org_id = m.org_id and t.id = m.team_id
where m.org_id = $1 and m.day between $2::date and $3::date
group by grouping sets ((m.day), (m.team_id, t.name, m.day))
having sum(m.scored) >= $4
order by t.name nulls first, m.team_id, m.day
limit $5;

import { expect, test } from 'vitest';
import { migrationFiles } from '../../src/db/migration-files.ts';
import { projectFile } from '../../src/files.ts';
import { faultsOf } from './migration-rules.ts';

const files = await migrationFiles(projectFile('migrations'));

test('every migration may run while the product does, or says why not', () => {
  expect(files.length).toBeGreaterThan(1);
  expect(files.flatMap(faultsOf)).toEqual([]);
});

test('the names give the order: four digits, then words, no number twice', () => {
  const numbers = files.map(({ name }) => /^(\d{4})-[a-z0-9-]+$/.exec(name)?.[1]);
  expect(numbers).not.toContain(undefined);
  expect(new Set(numbers).size).toBe(files.length);
});

const HEADER = '-- Why.\n-- Locks: ACCESS EXCLUSIVE on busy, for a moment.\n';

test.each([
  ['create index a on busy (id)', /create index concurrently/],
  ['create unique index a\n  on only busy using btree (id)', /create index concurrently/],
  ['create index on busy (id)', /create index concurrently/],
  ['alter table busy add column a text not null', /needs a default/],
  ['alter table busy add a text default 0, add b int not null', /needs a default/],
  ['alter table busy alter column a type bigint', /new type/],
  ['ALTER TABLE IF EXISTS ONLY busy\n  ALTER a SET DATA TYPE bigint', /new type/],
  ['alter table busy add column a text generated always as (lower(b)) stored', /in steps/],
  ['alter table busy add column a bigint generated always as identity', /in steps/],
  ['alter table busy add column a uuid not null default gen_random_uuid()', /in steps/],
  ['alter table busy alter column a set not null', /not valid/],
  ['alter table busy add constraint a check (b > 0)', /not valid/],
  ['alter table busy add constraint a foreign key (b) references other (id)', /not valid/],
  ['alter table busy add unique (b)', /using an index/],
  ['alter table busy add constraint a check (b > 0) not valid; alter table busy validate constraint a', /still held/],
  ['alter table busy rename column a to b', /beside the old one/],
  ['alter table busy rename to quiet', /beside the old one/],
  ['alter table busy drop column a', /release after/],
  ['alter table busy add column a text, drop b', /release after/],
  ['drop table busy', /release after/],
  [
    "do $$ begin execute format('alter table %I enable row level security', 'a'); alter table busy drop column a; end $$",
    /release after/,
  ],
  ['create index concurrently a on busy (id)', /begin the file with -- no-transaction/],
])('refused: %s', (text, instead) => {
  expect(faultsOf(fileOf(`${HEADER}${text.replaceAll('; ', ';\n')};\n`))).toEqual([expect.stringMatching(instead)]);
});

test.each([
  'create table fresh (id bigint primary key);\ncreate index a on fresh (id);\nalter table fresh add check (id > 0)',
  "alter table busy add column a text, add column b text not null default 'x'",
  'alter table busy add constraint a check (b in (1, 2)) not valid',
  'alter table busy validate constraint a',
  'alter table busy add constraint a unique using index b',
  'alter table busy alter column a drop not null, alter column b set default 0, drop constraint c',
  'alter table busy enable row level security, force row level security',
  'create policy tenant on busy using (true)',
  'drop index a',
  "comment on table busy is 'drop table busy'",
])('let through: %s', (text) => {
  expect(faultsOf(fileOf(`${HEADER}${text};\n`))).toEqual([]);
});

test('a header lets off the table and the kind that it names, and no other', () => {
  const text = 'alter table busy drop column a;\nalter table other drop column a;\n';
  const excuse = '-- breaks: busy, because nothing has read it since 1.4.\n';
  expect(faultsOf(fileOf(HEADER + excuse + text))).toEqual([expect.stringContaining('on other')]);
  expect(faultsOf(fileOf(HEADER + excuse.replace('breaks', 'blocks') + text))).toHaveLength(2);
  expect(faultsOf(fileOf(`${HEADER}-- breaks: busy, because\n${text}`))).toHaveLength(2);
});

test('a header says why, and which lock', () => {
  const text = 'alter table busy add column a text;\n';
  expect(faultsOf(fileOf(text))).toHaveLength(2);
  expect(faultsOf(fileOf(`-- Why.\n${text}`))).toEqual([expect.stringContaining('which lock')]);
  expect(faultsOf(fileOf(`-- Locks: one.\n${text}`))).toEqual([expect.stringContaining('say why')]);
});

test('outside a transaction: only indexes, and each build first drops what a failed one left', () => {
  const outside = (text: string) => faultsOf(fileOf(`-- no-transaction\n${HEADER}${text}`));
  const drop = 'drop index concurrently if exists a;\n';
  const create = 'create unique index concurrently a\n  on busy (id) where id > 0;\n';
  expect(outside(drop + create)).toEqual([]);
  expect(outside(drop)).toEqual([]);
  expect(outside(create)).toEqual([expect.stringContaining('drop index concurrently if exists a')]);
  expect(outside(create + drop)).toHaveLength(1);
  expect(outside('alter table busy add column a text;\n')).toEqual([expect.stringContaining('only builds and drops')]);
});

function fileOf(text: string) {
  return { name: '0009-planted', text, inTransaction: !text.startsWith('-- no-transaction') };
}

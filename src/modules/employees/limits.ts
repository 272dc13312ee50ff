/** The limits of employees, teams and imports. */

const KB = 1024;
const MB = 1024 * KB;
const SECOND_MS = 1_000;

export const TEAMS_MAX = 500; // per organisation
export const SEARCH_WALK_ROWS_MAX = 2_000; // read at once while skipping people that the search has already returned

export const IMPORT_BYTES_MAX = 64 * MB;
export const IMPORT_ROWS_MAX = 500_000;
export const IMPORT_BATCH_ROWS = 500;
export const IMPORT_LINE_BYTES_MAX = 16 * KB;
export const IMPORT_CELL_CHARS_MAX = 2_000; // of a name or a team with the spaces, quotes and invisible characters around it
export const IMPORT_REJECTIONS_KEPT = 200; // reported individually; the rest are only counted
export const IMPORTS_AT_ONCE_MAX = 8; // per process; each holds one batch, at worst 8 MB of maximum-length lines, and a slow upload must not block the next file
export const IMPORTS_OF_ORGANISATION_MAX = 4; // of these: the others are for other organisations
export const IMPORT_SNIFF_BYTES = 64 * KB; // read before the first row, to find out how the file is to be read; also the most that a preview takes
export const IMPORT_SAMPLE_ROWS = 100; // of the beginning, which tell the columns by what is in them
export const IMPORT_HEADER_ROWS_MAX = 50; // a report's title, filters and notes may stand above its header, or people, where the header was sorted with them
export const IMPORT_COLUMNS_MAX = 1_000; // of a header line: each title is compared with all that are known, in a few µs
export const IMPORT_ROW_CELLS_MAX = 16 * KB; // of any row, most of them empty: no spreadsheet has more columns
export const IMPORT_SAMPLE_CELL_CHARS_MAX = 500; // of a cell that tells what its column is
export const IMPORT_HEADERS_SOUGHT_CHARS_MAX = 128 * KB; // of rows without an address, which may be the header of another table: at most 1 µs each, and a table with more of them is not one of people
export const IMPORT_GUESS_BYTES = 4 * KB; // of lines beyond ASCII, the odd ones first: enough to tell old code pages from each other, in 40 ms
export const IMPORT_PREVIEW_ROWS = 10;
export const IMPORT_PREVIEW_DOUBTFUL_LINES = 3;
export const IMPORT_PREVIEW_COLUMNS_MAX = 50;
export const IMPORT_PREVIEW_CELL_CHARS_MAX = 120;
export const ABANDONED_IMPORTS_EVERY_MS = 5 * SECOND_MS; // how often imports whose process died are marked as failed
export const ABANDONED_IMPORT_SECONDS = 120; // an import that wrote nothing for this long belongs to a process that died
export const IMPORT_TOUCH_EVERY_MS = 20 * SECOND_MS; // how often an import writes that it goes on: at 1 KB/s a batch can take longer than ABANDONED_IMPORT_SECONDS
export const ABANDONED_IMPORTS_ROWS = 100; // per step
export const QUOTING_IMPORTS_ROWS = 100; // rewritten by one statement when somebody is erased: each with a report of up to IMPORT_REJECTIONS_KEPT lines

export const PERSON_ROWS_MAX = 10_000; // of one table in the export of one person: twenty messages a day for a year are 7,300

export const RELATIONS: readonly [string, boolean][] = [
  ['IMPORTS_OF_ORGANISATION_MAX < IMPORTS_AT_ONCE_MAX', IMPORTS_OF_ORGANISATION_MAX < IMPORTS_AT_ONCE_MAX],
  ['IMPORT_LINE_BYTES_MAX < IMPORT_BYTES_MAX', IMPORT_LINE_BYTES_MAX < IMPORT_BYTES_MAX],
  ['IMPORT_LINE_BYTES_MAX < IMPORT_SNIFF_BYTES', IMPORT_LINE_BYTES_MAX < IMPORT_SNIFF_BYTES],
  [
    'IMPORT_TOUCH_EVERY_MS * 4 <= ABANDONED_IMPORT_SECONDS',
    IMPORT_TOUCH_EVERY_MS * 4 <= ABANDONED_IMPORT_SECONDS * SECOND_MS,
  ],
  ['IMPORT_BATCH_ROWS < IMPORT_ROWS_MAX', IMPORT_BATCH_ROWS < IMPORT_ROWS_MAX],
];

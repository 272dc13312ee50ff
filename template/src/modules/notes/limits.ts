/** The limits of notes. */
import { BODY_BYTES_MAX, RETENTION_DAYS } from '../../../../src/limits.ts';

const UTF8_BYTES_PER_CHAR_MAX = 4;

export const NOTE_TITLE_CHARS_MAX = 200;
export const NOTE_BODY_CHARS_MAX = 10_000;
export const NOTES_DONE_DAYS = 90; // how long a note is kept after it is marked as done

export const RELATIONS: readonly [string, boolean][] = [
  ['NOTES_DONE_DAYS <= RETENTION_DAYS', NOTES_DONE_DAYS <= RETENTION_DAYS],
  [
    'a note fits into BODY_BYTES_MAX',
    (NOTE_TITLE_CHARS_MAX + NOTE_BODY_CHARS_MAX) * UTF8_BYTES_PER_CHAR_MAX < BODY_BYTES_MAX,
  ],
];

/**
 * The caught mails, on disk, with an index in memory.
 *
 * Mails are appended to segment files (`<n>.eml`), and a line about each to the segment's index (`<n>.ndjson`). Both
 * are written before the mail is accepted, so a mail catcher that is killed loses nothing that it had accepted.
 * Bounds: MAILS_MAX index entries, MAIL_SEGMENTS_MAX segments of MAIL_SEGMENT_BYTES; the oldest are dropped first.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { decodeWords } from 'postal-mime';
import { MAIL_SEGMENT_BYTES, MAIL_SEGMENTS_MAX, MAILS_FORGOTTEN_AT_ONCE, MAILS_MAX } from './limits.ts';

export type Mail = {
  id: number;
  from: string;
  /** The envelope's recipients, separated by a comma and a space. */
  to: string;
  subject: string;
  messageId: string;
  /** Milliseconds since 1970. */
  at: number;
  segment: number;
  /** Bytes, within the segment. */
  offset: number;
  length: number;
};

export type MailFilter = { to?: string; subject?: string; before?: number; limit: number };

export type MailStore = ReturnType<typeof openMailStore>;

/** Opens the store in a folder and reads its index from disk. */
export function openMailStore(folder: string) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let mails = readIndex(folder);
  let accepted = mails.at(-1)?.id ?? 0;
  let segment = openSegment(folder, mails.at(-1)?.segment ?? 1);

  function forgetOldest(): void {
    const oldestKept = segment.number - MAIL_SEGMENTS_MAX + 1;
    const inDroppedSegments = mails.findIndex((mail) => mail.segment >= oldestKept);
    mails.splice(0, Math.max(mails.length - MAILS_MAX, inDroppedSegments));
    const first = mails[0]?.segment ?? segment.number;
    for (const number of segmentsOf(folder).filter((number) => number < first)) removeSegment(folder, number);
  }

  return {
    /** Writes a mail to disk and returns its entry. */
    add(envelope: { from: string; to: string[] }, raw: Buffer): Mail {
      if (segment.bytes >= MAIL_SEGMENT_BYTES) {
        closeSegment(segment);
        segment = openSegment(folder, segment.number + 1);
        forgetOldest();
      }
      const { subject, messageId } = readHeaders(raw);
      const mail: Mail = {
        id: accepted + 1,
        from: envelope.from,
        to: envelope.to.join(', '),
        subject,
        messageId,
        at: Date.now(),
        segment: segment.number,
        offset: segment.bytes,
        length: raw.length,
      };
      writeSync(segment.raw, raw);
      segment.bytes += raw.length;
      writeSync(segment.index, `${JSON.stringify(mail)}\n`);
      accepted = mail.id;
      mails.push(mail);
      // In batches: removing an element from the front of a long array moves all the others.
      if (mails.length > MAILS_MAX + MAILS_FORGOTTEN_AT_ONCE) forgetOldest();
      return mail;
    },

    /** Newest first; `total` counts the matching mails on all pages. */
    list({ to, subject, before = Number.POSITIVE_INFINITY, limit }: MailFilter): { total: number; mails: Mail[] } {
      const wantedTo = to?.toLowerCase() ?? '';
      const wantedSubject = subject?.toLowerCase() ?? '';
      const page: Mail[] = [];
      let total = 0;
      for (let at = mails.length - 1; at >= 0; at--) {
        const mail = mails[at] as Mail;
        if (!mail.to.toLowerCase().includes(wantedTo) || !mail.subject.toLowerCase().includes(wantedSubject)) continue;
        total++;
        if (mail.id < before && page.length < limit) page.push(mail);
      }
      return { total, mails: page };
    },

    find(id: number): Mail | undefined {
      const mail = mails[lowerBound(mails, id)];
      return mail?.id === id ? mail : undefined;
    },

    /** How many have been accepted since the last `empty`, including dropped ones. */
    accepted: () => accepted,

    async read(mail: Mail): Promise<Buffer> {
      const file = await open(rawFile(folder, mail.segment), 'r');
      try {
        const raw = Buffer.alloc(mail.length);
        await file.read(raw, 0, mail.length, mail.offset);
        return raw;
      } finally {
        await file.close();
      }
    },

    /** The distinct ones are counted among the mails that are still stored. */
    counts() {
      return {
        accepted,
        distinctMessageIds: new Set(mails.map((mail) => mail.messageId)).size,
        distinctRecipients: new Set(mails.flatMap((mail) => mail.to.split(', '))).size,
      };
    },

    empty(): void {
      closeSegment(segment);
      for (const number of segmentsOf(folder)) removeSegment(folder, number);
      mails = [];
      accepted = 0;
      segment = openSegment(folder, 1);
    },

    close: () => closeSegment(segment),
  };
}

type Segment = { number: number; raw: number; index: number; bytes: number };

function openSegment(folder: string, number: number): Segment {
  const raw = openSync(rawFile(folder, number), 'a', 0o600);
  const index = openSync(indexFile(folder, number), 'a', 0o600);
  return { number, raw, index, bytes: statSync(rawFile(folder, number)).size };
}

function closeSegment({ raw, index }: Segment): void {
  closeSync(raw);
  closeSync(index);
}

function removeSegment(folder: string, number: number): void {
  rmSync(rawFile(folder, number), { force: true });
  rmSync(indexFile(folder, number), { force: true });
}

function segmentsOf(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}

function readIndex(folder: string): Mail[] {
  const lines = segmentsOf(folder).flatMap((number) => readFileSync(indexFile(folder, number), 'utf8').split('\n'));
  return lines
    .map(parseLine)
    .filter((mail) => mail !== undefined)
    .slice(-MAILS_MAX);
}

function parseLine(line: string): Mail | undefined {
  try {
    return JSON.parse(line) as Mail;
  } catch {
    // The empty line at the end, or a line that was cut short by a kill: its mail was never accepted.
    return undefined;
  }
}

/** Subject and Message-ID only: the whole mail is parsed when it is opened. */
function readHeaders(raw: Buffer): { subject: string; messageId: string } {
  const end = raw.indexOf('\r\n\r\n');
  const headers = `\r\n${raw.toString('utf8', 0, end === -1 ? raw.length : end).replace(/\r\n[ \t]+/g, ' ')}`;
  const value = (name: string) => new RegExp(`\\r\\n${name}:[ \\t]*([^\\r]*)`, 'i').exec(headers)?.[1]?.trim() ?? '';
  return { subject: decodeWords(value('subject')), messageId: value('message-id') };
}

/** Binary search: ids are ascending. */
function lowerBound(mails: Mail[], id: number): number {
  let low = 0;
  let high = mails.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((mails[middle] as Mail).id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

function rawFile(folder: string, number: number): string {
  return path.join(folder, `${number}.eml`);
}

function indexFile(folder: string, number: number): string {
  return path.join(folder, `${number}.ndjson`);
}

import type { CheckArgs, CheckedAnswer, Checks } from '../../load/checks.ts';

const CSV_HEADER = '\uFEFFat,campaign,team,employee,email,question,answer,sentiment\r\n';
const CSV_FIELDS = 8;
const [QUOTE, COMMA, CR, LF] = [0x22, 0x2c, 0x0d, 0x0a];

/** Every record has all its fields and ends, and the file ends with a record: what broke off in the middle is seen. */
function checkAnswersCsv(answer: CheckedAnswer, args: CheckArgs): string | undefined {
  const { bytes } = answer;
  const start = Buffer.byteLength(CSV_HEADER);
  if (bytes.toString('utf8', 0, start) !== CSV_HEADER) return 'another header than promised';
  let quoted = false;
  let fields = 1;
  let rows = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) continue;
    else if (byte === COMMA) fields++;
    else if (byte === LF) {
      rows++;
      if (fields !== CSV_FIELDS || bytes[at - 1] !== CR) return `row ${rows} has ${fields} fields, not ${CSV_FIELDS}`;
      fields = 1;
    }
  }
  if (quoted || fields !== 1 || bytes.at(-1) !== LF) return `the file breaks off after row ${rows}`;
  const least = args['rows'];
  if (typeof least === 'number' && rows < least) return `${rows} rows where there are ${least}`;
  return undefined;
}

function checkTicket({ json }: CheckedAnswer): string | undefined {
  const { ticket, url } = (json ?? {}) as { ticket?: unknown; url?: unknown };
  return /^[\w-]+\.[\w-]+$/.test(String(ticket)) && /^wss?:/.test(String(url)) ? undefined : 'not a ticket';
}

export const CONVERSATION_CHECKS: Checks = { 'answers-csv': checkAnswersCsv, ticket: checkTicket };

/** Text as the bytes of an old code page: TextDecoder, read backwards. */
export function encode(text: string, encoding: string): Buffer {
  if (encoding === 'utf-16le') return Buffer.from(text, 'utf16le');
  if (encoding === 'utf-16be') return Buffer.from(text, 'utf16le').swap16();
  const bytes = tableOf(encoding);
  return Buffer.concat(
    [...text].map((character) => {
      const found = character < '\x80' ? Buffer.from(character) : bytes.get(character);
      if (found === undefined) throw new Error(`${encoding} has no ${character}`);
      return found;
    }),
  );
}

const tables = new Map<string, Map<string, Buffer>>();

function tableOf(encoding: string): Map<string, Buffer> {
  const known = tables.get(encoding);
  if (known !== undefined) return known;
  const table = new Map<string, Buffer>();
  const learn = (bytes: number[]) => {
    const text = new TextDecoder(encoding).decode(Uint8Array.from(bytes));
    if ([...text].length === 1 && text !== '\uFFFD' && !table.has(text)) table.set(text, Buffer.from(bytes));
  };
  for (let byte = 0x80; byte <= 0xff; byte++) learn([byte]);
  for (let lead = 0x81; lead <= 0xfe; lead++) for (let trail = 0x40; trail <= 0xfe; trail++) learn([lead, trail]);
  tables.set(encoding, table);
  return table;
}

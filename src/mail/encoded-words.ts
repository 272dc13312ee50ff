/**
 * A subject that happens to look like an encoded word (`=?utf-8?b?…?=`, RFC 2047) would be read as one: a name in it could
 * bring the line breaks and the invisible characters that names cannot have. Encoded as a whole, it is read as it is written.
 */
import { ENCODED_WORD_BYTES_MAX } from '../limits.ts';

export function literalSubject(subject: string): string {
  if (!subject.includes('=?')) return subject;
  const words: string[] = [''];
  for (const character of subject) {
    const longer = `${words.at(-1)}${character}`;
    if (Buffer.byteLength(longer) > ENCODED_WORD_BYTES_MAX) words.push(character);
    else words[words.length - 1] = longer;
  }
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ');
}

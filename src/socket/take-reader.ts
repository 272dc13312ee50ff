import type { Duplex } from 'node:stream';

export type Reader = (this: Duplex, chunk: Buffer) => void;

/** ws reads the stream with one listener. Takes it off, and returns it: the caller passes on what ws is to read. */
export function takeReader(stream: Duplex): Reader {
  const [listener, ...others] = stream.listeners('data') as Reader[];
  if (listener === undefined || others.length > 0) throw new Error('ws no longer reads its stream with one listener');
  stream.off('data', listener);
  return listener;
}

/** What has arrived and was not read yet. One `read()` returns a part of it. */
export function discardUnread(stream: Duplex): void {
  while (stream.read() !== null);
}

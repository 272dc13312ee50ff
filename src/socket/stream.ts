import type { Duplex } from 'node:stream';

/** ws reads the stream with one listener. `read` gets each chunk instead, and passes it on. */
export function readThrough(stream: Duplex, read: (chunk: Buffer, parse: (chunk: Buffer) => void) => void): void {
  const [listener, ...others] = stream.listeners('data') as ((chunk: Buffer) => void)[];
  if (listener === undefined || others.length > 0) throw new Error('ws no longer reads its stream with one listener');
  const parse = listener.bind(stream);
  stream.off('data', listener);
  stream.on('data', (chunk: Buffer) => read(chunk, parse));
}

/** Frames sent in one turn of the event loop go out together: the system call costs more than the frame. */
export function untilNextTurn(stream: Duplex): () => void {
  let held = false;
  return () => {
    if (held) return;
    held = true;
    stream.cork();
    process.nextTick(() => {
      held = false;
      stream.uncork();
    });
  };
}

/**
 * What it is: counts the frames, messages and bytes that a client sends, ahead of the parser.
 * What fails without it: pings, pongs and empty fragments never reach a counter of messages. 64 KB hold ten thousand of
 *   them, so five sockets that send nothing else keep the event loop busy, and everybody waits.
 * How it works: reads only the frames' headers, and steps over the payloads. A chunk that exceeds the limits of the
 *   current window is not parsed at all.
 * What it costs: a few operations per frame. Its bound: the limits, named in limits.ts; at the border of two windows a
 *   client can send twice as much. Its proof: test/socket/frame-meter.test.ts, test/socket/floods.test.ts.
 */
export interface FrameLimits {
  readonly messages: number;
  /** Of every kind: fragments of messages, pings, pongs, closes. */
  readonly frames: number;
  readonly bytes: number;
}

export interface FrameMeter {
  /** False as soon as the window's limits are exceeded: the chunk must not be parsed. */
  admit(chunk: Uint8Array, limits: FrameLimits): boolean;
  /** Whether a close frame has passed. No frame may follow it. */
  readonly hasClosed: boolean;
}

const WINDOW_MS = 10_000;
const CLOSE_OPCODE = 8;
const MASK_BYTES = 4;

export function createFrameMeter(): FrameMeter {
  let windowStart = performance.now();
  let [messages, frames, bytes] = [0, 0, 0];
  /** The header being read: its next byte, how many bytes of the extended length are still to come, and the length. */
  let field: 'opcode' | 'length' | 'extended' = 'opcode';
  let extendedBytes = 0;
  let length = 0;
  let opcode = 0;
  /** Bytes of the mask and the payload still to come. */
  let rest = 0;

  function startPayload(isMasked: boolean): void {
    field = 'opcode';
    rest = length + (isMasked ? MASK_BYTES : 0);
  }

  function readHeaderByte(byte: number): void {
    if (field === 'opcode') {
      opcode = byte & 0x0f;
      frames++;
      if (opcode === 1 || opcode === 2) messages++;
      field = 'length';
    } else if (field === 'length') {
      // A client's frame is always masked; the parser refuses one that is not.
      length = byte & 0x7f;
      if (length < 126) {
        startPayload((byte & 0x80) !== 0);
      } else {
        extendedBytes = length === 126 ? 2 : 8;
        length = 0;
        field = 'extended';
      }
    } else {
      length = length * 256 + byte;
      if (--extendedBytes === 0) startPayload(true);
    }
  }

  function hasClosed(): boolean {
    return opcode === CLOSE_OPCODE && field === 'opcode' && rest === 0;
  }

  return {
    admit(chunk, limits) {
      const now = performance.now();
      if (now - windowStart > WINDOW_MS) {
        windowStart = now;
        [messages, frames, bytes] = [0, 0, 0];
      }
      bytes += chunk.length;
      if (bytes > limits.bytes) return false;
      for (let at = 0; at < chunk.length && !hasClosed(); ) {
        if (rest > 0) {
          const step = Math.min(rest, chunk.length - at);
          rest -= step;
          at += step;
        } else {
          readHeaderByte(chunk[at++] as number);
          if (frames > limits.frames || messages > limits.messages) return false;
        }
      }
      return true;
    },
    get hasClosed() {
      return hasClosed();
    },
  };
}

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
  return new Meter();
}

/** A class, because there is one per socket: closures would take 600 bytes more. */
class Meter implements FrameMeter {
  private windowStart = performance.now();
  private messages = 0;
  private frames = 0;
  private bytes = 0;
  /** The header being read: its next byte, how many bytes of the extended length are still to come, and the length. */
  private field: 'opcode' | 'length' | 'extended' = 'opcode';
  private extendedBytes = 0;
  private length = 0;
  private opcode = 0;
  /** Bytes of the mask and the payload still to come. */
  private rest = 0;

  admit(chunk: Uint8Array, limits: FrameLimits): boolean {
    const now = performance.now();
    if (now - this.windowStart > WINDOW_MS) {
      this.windowStart = now;
      this.messages = this.frames = this.bytes = 0;
    }
    this.bytes += chunk.length;
    if (this.bytes > limits.bytes) return false;
    for (let at = 0; at < chunk.length && !this.hasClosed; ) {
      if (this.rest > 0) {
        const step = Math.min(this.rest, chunk.length - at);
        this.rest -= step;
        at += step;
      } else {
        this.readHeaderByte(chunk[at++] as number);
        if (this.frames > limits.frames || this.messages > limits.messages) return false;
      }
    }
    return true;
  }

  get hasClosed(): boolean {
    return this.opcode === CLOSE_OPCODE && this.field === 'opcode' && this.rest === 0;
  }

  private readHeaderByte(byte: number): void {
    if (this.field === 'opcode') {
      this.opcode = byte & 0x0f;
      this.frames++;
      if (this.opcode === 1 || this.opcode === 2) this.messages++;
      this.field = 'length';
    } else if (this.field === 'length') {
      this.length = byte & 0x7f;
      // A client's frame is always masked; the parser refuses one that is not.
      if (this.length < 126) {
        this.startPayload((byte & 0x80) !== 0);
      } else {
        this.extendedBytes = this.length === 126 ? 2 : 8;
        this.length = 0;
        this.field = 'extended';
      }
    } else {
      this.length = this.length * 256 + byte;
      if (--this.extendedBytes === 0) this.startPayload(true);
    }
  }

  private startPayload(isMasked: boolean): void {
    this.field = 'opcode';
    this.rest = this.length + (isMasked ? MASK_BYTES : 0);
  }
}

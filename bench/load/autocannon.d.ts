/** The part of autocannon that closed-loop.ts uses; the package has no types of its own. */
declare module 'autocannon' {
  interface Request {
    method: string;
    headers?: Readonly<Record<string, string>>;
    body?: string;
    onResponse(status: number, body: string, context: object, headers: Record<string, string>): void;
  }
  interface Options {
    url: string;
    connections: number;
    /** Seconds. */
    duration: number;
    requests: readonly Request[];
  }
  interface Result {
    /** Seconds. */
    readonly duration: number;
    readonly errors: number;
    readonly timeouts: number;
  }
  // biome-ignore lint/style/noDefaultExport: that is how the package exports it
  export default function autocannon(options: Options): Promise<Result>;
}

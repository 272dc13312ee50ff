import { type Dispatcher, getGlobalDispatcher, request } from 'undici';
import type { FuzzedRequest } from './arbitrary-request.ts';

export interface FuzzedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const ANSWER_MS = 15_000;
let lastAlone: Promise<unknown> = Promise.resolve();

/** When the connection is closed without an answer, the status is 0 and the text says why. */
export async function sendFuzzed(
  apiUrl: string,
  token: string,
  fuzzed: FuzzedRequest,
  dispatcher = getGlobalDispatcher(),
): Promise<FuzzedAnswer> {
  const sent = () => send(apiUrl, token, fuzzed, dispatcher);
  return (isExport(fuzzed) ? alone(sent) : sent()).catch((error: Error) => ({
    status: 0,
    contentType: '',
    text: String(error),
  }));
}

function isExport({ path }: FuzzedRequest): boolean {
  return path.includes('/exports/');
}

/** One after the other: an organisation has few places for exports, and one beyond them is rightly told to wait. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  const result = lastAlone.then(work);
  lastAlone = result.catch(() => undefined);
  return result;
}

async function send(
  apiUrl: string,
  token: string,
  fuzzed: FuzzedRequest,
  dispatcher: Dispatcher,
): Promise<FuzzedAnswer> {
  const { method, path, headers, body } = fuzzed;
  const answer = await request(apiUrl + path, {
    method: method as 'GET',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: body ?? null,
    signal: AbortSignal.timeout(ANSWER_MS),
    dispatcher,
  });
  const contentType = String(answer.headers['content-type'] ?? '');
  return { status: answer.statusCode, contentType, text: await answer.body.text() };
}

interface Documented {
  readonly responses: Readonly<Record<string, unknown>>;
}

/** What is wrong with an answer, whatever was asked; undefined when nothing is. */
export function faultOf(answer: FuzzedAnswer, operation: Documented): string | undefined {
  const { status, contentType, text } = answer;
  if (status === 0) return text;
  if (status >= 500) return `${status}: ${text}`;
  if (!(status in operation.responses)) return `${status} is not documented: ${text}`;
  if (status < 400) return undefined;
  if (!contentType.startsWith('application/problem+json')) return `${status} comes as ${contentType}`;
  const problem = JSON.parse(text) as { status?: unknown; code?: unknown; type?: unknown };
  const isProblem = problem.status === status && problem.type === `/problems/${problem.code}`;
  return isProblem ? undefined : `${status} is not a problem document: ${text}`;
}

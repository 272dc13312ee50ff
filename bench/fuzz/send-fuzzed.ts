import { request } from 'undici';
import type { FuzzedRequest } from './arbitrary-request.ts';

export interface FuzzedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const ANSWER_MS = 15_000;

/** The body is read only as far as a fault can be in it: an export may be long. */
export async function sendFuzzed(apiUrl: string, token: string, fuzzed: FuzzedRequest): Promise<FuzzedAnswer> {
  const { method, path, headers, body } = fuzzed;
  const answer = await request(apiUrl + path, {
    method: method as 'GET',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: body ?? null,
    signal: AbortSignal.timeout(ANSWER_MS),
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
  if (status >= 500) return `${status}: ${text}`;
  if (!(status in operation.responses)) return `${status} is not documented: ${text}`;
  if (status < 400) return undefined;
  if (!contentType.startsWith('application/problem+json')) return `${status} comes as ${contentType}`;
  const problem = JSON.parse(text) as { status?: unknown; code?: unknown; type?: unknown };
  const isProblem = problem.status === status && problem.type === `/problems/${problem.code}`;
  return isProblem ? undefined : `${status} is not a problem document: ${text}`;
}

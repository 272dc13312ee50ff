import { type List, listStep, nextPageStep, pageOf, rowOf } from '../../load/list-steps.ts';
import { authorized, get, type PlannedRequest, type StepContext, type Steps, write } from '../../load/step.ts';

const CONVERSATIONS: List = { route: 'GET /api/v1/conversations', order: 'desc', kind: 'conversations' };

export const CONVERSATION_STEPS: Steps = {
  'GET /api/v1/conversations': listStep(CONVERSATIONS),
  'GET /api/v1/conversations (next page)': nextPageStep(CONVERSATIONS),
  'GET /api/v1/conversations/{id}': { needs: 'viewer', request: conversation },
  'POST /api/v1/conversations/{id}/ticket': { needs: 'viewer', request: ticket },
  'GET /api/v1/exports/answers.csv': { needs: 'admin', request: exportAnswers },
};

function conversation({ client, random }: StepContext): PlannedRequest {
  const kept = rowOf(client, CONVERSATIONS, random);
  if (kept === undefined) return pageOf(client, CONVERSATIONS);
  return {
    ...get('GET /api/v1/conversations/{id}', `/api/v1/conversations/${kept.id}`, authorized(client)),
    check: { name: 'object', args: { id: kept.id, kind: 'conversations', orgId: client.orgId } },
  };
}

function ticket({ client, random }: StepContext): PlannedRequest {
  const kept = rowOf(client, CONVERSATIONS, random);
  if (kept === undefined) return pageOf(client, CONVERSATIONS);
  return {
    ...write(client, 'POST /api/v1/conversations/{id}/ticket', `/api/v1/conversations/${kept.id}/ticket`),
    check: { name: 'ticket' },
  };
}

const EXPORT_DAYS = 7;

function exportAnswers({ client }: StepContext): PlannedRequest {
  const from = new Date(Date.now() - EXPORT_DAYS * 86_400_000).toISOString().slice(0, 10);
  return {
    ...get('GET /api/v1/exports/answers.csv', `/api/v1/exports/answers.csv?from=${from}`, authorized(client)),
    check: { name: 'answers-csv' },
  };
}

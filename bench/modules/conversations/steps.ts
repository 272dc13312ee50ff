import { type List, listStep, nextPageStep, pageOf, rowOf } from '../../load/list-steps.ts';
import { authorized, get, type PlannedRequest, type StepContext, type Steps, write } from '../../load/step.ts';

const CONVERSATIONS: List = { route: 'GET /api/conversations', order: 'desc', kind: 'conversations' };

export const CONVERSATION_STEPS: Steps = {
  'GET /api/conversations': listStep(CONVERSATIONS),
  'GET /api/conversations (next page)': nextPageStep(CONVERSATIONS),
  'GET /api/conversations/{id}': { needs: 'viewer', request: conversation },
  'POST /api/conversations/{id}/ticket': { needs: 'viewer', request: ticket },
  'GET /api/exports/answers.csv': { needs: 'admin', request: exportAnswers },
};

function conversation({ client, random }: StepContext): PlannedRequest {
  const kept = rowOf(client, CONVERSATIONS, random);
  if (kept === undefined) return pageOf(client, CONVERSATIONS);
  return {
    ...get('GET /api/conversations/{id}', `/api/conversations/${kept.id}`, authorized(client)),
    check: { name: 'object', args: { id: kept.id, kind: 'conversations', orgId: client.orgId } },
  };
}

function ticket({ client, random }: StepContext): PlannedRequest {
  const kept = rowOf(client, CONVERSATIONS, random);
  if (kept === undefined) return pageOf(client, CONVERSATIONS);
  return {
    ...write(client, 'POST /api/conversations/{id}/ticket', `/api/conversations/${kept.id}/ticket`),
    check: { name: 'ticket' },
  };
}

const EXPORT_DAYS = 7;

function exportAnswers({ client }: StepContext): PlannedRequest {
  const from = new Date(Date.now() - EXPORT_DAYS * 86_400_000).toISOString().slice(0, 10);
  return {
    ...get('GET /api/exports/answers.csv', `/api/exports/answers.csv?from=${from}`, authorized(client)),
    check: { name: 'answers-csv' },
  };
}

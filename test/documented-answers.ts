import type { OpenApi } from './openapi.ts';

/**
 * The answers that a running api has given and that its document does not name, from the api's own metrics: whatever a
 * test asks, the document is held to it.
 */
export function undocumentedAnswers(metrics: string, { paths }: OpenApi): string[] {
  return [...metrics.matchAll(ANSWERS)].flatMap(([, method = '', route = '', status = '']) => {
    const path = route.replace(/:(\w+)/g, '{$1}');
    const operation = paths[path]?.[(method === 'HEAD' ? 'GET' : method).toLowerCase()];
    if (operation === undefined || status in (operation.responses ?? {})) return [];
    return [
      `${method} ${path} answered ${status}, which its document does not name: add the code to \`config.problems\` of the route`,
    ];
  });
}

const ANSWERS = /^tardigrade_http_requests_total\{method="(\w+)",route="([^"]+)",status="(\d+)"/gm;

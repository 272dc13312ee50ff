/** For the workers of staging: that of the shell, without what could lead to servers or to people of the first product. */
export function stagingEnvironment(outer: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...outer, ENVIRONMENT: 'staging' };
  for (const name of LEADS_ELSEWHERE) delete environment[name];
  return environment;
}

/** The addresses of servers are replaced with those of staging's own by worker-environment.ts. */
const LEADS_ELSEWHERE = [
  'SECRET_KEY',
  'CREDENTIALS_DIRECTORY',
  'NODE_ENV',
  'API_URL',
  'CHAT_URL',
  'HOST',
  'MAIL_FROM',
  'DKIM_KEY',
  'OIDC_ISSUER',
  'OIDC_CLIENT_ID',
  'OIDC_CLIENT_SECRET',
  'MAIL_WEBHOOK_SECRET',
  'MAIL_BOUNCE_DOMAIN',
];

import type { StagingRules } from '../faces.ts';

export const staging: StagingRules = {
  registrations: { leftOut: 'a link that was mailed leads to the original' },
  organisations: { columns: { name: 'name' } },
  users: { columns: { email: 'address', name: 'name', role: 'kept', password_hash: 'password' } },
  sessions: { leftOut: 'nobody is signed in there' },
  invitations: { leftOut: 'a link that was mailed leads to the original' },
  password_resets: { leftOut: 'a link that was mailed leads to the original' },
  api_keys: { leftOut: 'a key of the original must not open the copy' },
  second_factors: { leftOut: 'the secrets are sealed with the key of the original' },
  recovery_codes: { leftOut: 'without second factors nobody needs them' },
  oidc_identities: { leftOut: 'nobody signs in to a copy with a provider' },
};

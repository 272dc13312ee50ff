/** `connectTo`: origins beside the page's own that its scripts may ask, for example `wss://chat.example.com`. */
export const contentSecurityPolicy = (connectTo: readonly string[] = []) =>
  [
    "default-src 'self'",
    `connect-src ${["'self'", ...connectTo].join(' ')}`,
    "img-src 'self' data:",
    "style-src 'self'",
    // A mail preview shows the mail itself, and mails are styled with style attributes.
    "style-src-attr 'unsafe-inline'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');

/** Of a page. */
export const SECURITY_HEADERS = {
  'content-security-policy': contentSecurityPolicy(),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer', // personal links carry their token in the path
  'cross-origin-opener-policy': 'same-origin',
} as const;

/** Of what is data and not a page, problem documents included: should a browser show it all the same, it may load nothing. */
export const DATA_SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

/**
 * What it is: the passwords that everybody tries first are refused, as NIST SP 800-63B and ASVS 6.2.4 ask for.
 * What fails without it: one guess for each of ten thousand accounts opens some of them, and no limit per account sees it.
 * How it works: of the list of zxcvbn-ts, only those that are long enough to be chosen at all are kept: 1,557 of 49,233.
 *   It is loaded when the first password is set, because most processes never see one.
 * What it costs: about 4 MB from then on. Its bound: the list. Its proof: test/modules/accounts/passwords.test.ts.
 */
import { AppError } from '../../errors.ts';
import { PASSWORD_CHARS } from '../../limits.ts';

/** Throws `invalid`, in words. Without regard to case: so do those who guess. */
export async function refuseCommonPassword(password: string, email: string): Promise<void> {
  const lower = password.normalize('NFKC').toLowerCase();
  if (lower === email.toLowerCase())
    throw new AppError('invalid', 'Your email address is not a password. Choose another.');
  if ((await commonPasswords()).has(lower) || isOneCharacter(lower))
    throw new AppError('invalid', 'This password is among the first that anybody tries. Choose another.');
}

let loaded: Promise<ReadonlySet<string>> | undefined;

function commonPasswords(): Promise<ReadonlySet<string>> {
  loaded ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) =>
      new Set((dictionary['passwords-common'] as string[]).filter(({ length }) => length >= PASSWORD_CHARS.min)),
  );
  return loaded;
}

function isOneCharacter(text: string): boolean {
  return new Set(text).size === 1;
}

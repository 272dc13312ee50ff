import { Type } from 'typebox';
import { Id, named } from '../../http/schemas.ts';
import { PASSWORD_CHARS } from '../../limits.ts';
import { LINK_TOKEN_CHARS_MAX } from './limits.ts';

export const NewPassword = Type.String({ minLength: PASSWORD_CHARS.min, maxLength: PASSWORD_CHARS.max });
/** One that was chosen under whatever rules there were. */
export const GivenPassword = Type.String({ minLength: 1, maxLength: PASSWORD_CHARS.max });
export const LinkToken = Type.String({
  minLength: 1,
  maxLength: LINK_TOKEN_CHARS_MAX,
  description: 'the last part of the link in the mail',
});
/** Of the app: six digits; a recovery code: four groups of letters and digits. */
export const Code = Type.String({ minLength: 6, maxLength: 40 });
export const Role = Type.Union([Type.Literal('owner'), Type.Literal('admin'), Type.Literal('viewer')]);
export const User = Type.Object({ id: Id, name: Type.String(), email: Type.String(), role: Type.String() });
export const Me = Type.Object({
  user: User,
  organisation: named,
  operator: Type.Boolean({ description: 'one of those who run the platform; never true for an API key' }),
});
export const Welcomed = Type.Object({ token: Type.String(), user: User, organisation: named });

/**
 * What api.js may be asked, and what it answers: as the OpenAPI document has it. An address is found in the document by
 * its parts: `/api/v1/notes/${id}` is `/api/v1/notes/{id}`. What is put together at run time has no part that a type
 * could know, so it is no address; `getUndocumented` is for what is not in the document.
 *
 * Not served: see src/http/pages.ts.
 */
import type { Paths } from '../../src/http/paths.ts';

type Parts<Text extends string> = Text extends `${infer First}/${infer Rest}` ? [First, ...Parts<Rest>] : [Text];

/** Whether it is put together, as `${id}`: a type with such a key has an index signature, which asks for nothing. */
type IsFilledIn<Part extends string> = Record<never, never> extends Record<Part, 1> ? true : false;

type Fits<Documented, Asked> = Documented extends [infer D, ...infer Ds]
  ? Asked extends [infer A extends string, ...infer As]
    ? (IsFilledIn<A> extends true ? (D extends `{${string}}` ? true : false) : A extends D ? true : false) extends true
      ? Fits<Ds, As>
      : false
    : false
  : Asked extends []
    ? true
    : false;

type PathOf<Address extends string> = {
  [Path in keyof Paths & string]: Fits<Parts<Path>, Parts<Address>> extends true ? Path : never;
}[keyof Paths & string];

type Methods = 'get' | 'post' | 'put' | 'patch' | 'delete';

type OperationAt<Path, Method extends Methods> = Path extends keyof Paths
  ? Paths[Path] extends Record<Method, infer Found>
    ? Found
    : never
  : never;
type Operation<Address extends string, Method extends Methods> = OperationAt<PathOf<Address>, Method>;

/** Nothing is a value of it when the document does not have the address, or the address not the method. */
type Known<Address extends string, Method extends Methods> = [Operation<Address, Method>] extends [never]
  ? never
  : unknown;

type Given<Fields> = { [Name in keyof Fields]: Fields[Name] | null | '' };
type QueryOf<Found> = Found extends { parameters: { query: infer Fields } }
  ? Given<Fields>
  : Found extends { parameters: { query?: infer Fields } }
    ? Given<Fields>
    : Record<string, never>;

type BodyOf<Found> = Found extends { requestBody: { content: { 'application/json': infer Body } } } ? Body : undefined;
type BodyAndSignal<Found> = Found extends { requestBody: unknown }
  ? [body: BodyOf<Found>, signal?: AbortSignal]
  : [body?: undefined, signal?: AbortSignal];

type Good = 200 | 201 | 202 | 204;
type AnswerOf<Found> = Found extends { responses: infer Responses }
  ? {
      [Status in keyof Responses & Good]: Responses[Status] extends { content: { 'application/json': infer Body } }
        ? Body
        : null;
    }[keyof Responses & Good]
  : never;

/** Known everywhere in the pages, which are sent with their comments: an import in each would be a kilobyte more. */
declare global {
  /** What the document says that is answered, for annotations: `Answer<'/api/v1/notes/{id}', 'get'>`. */
  type Answer<Path extends keyof Paths, Method extends keyof Paths[Path]> = AnswerOf<Paths[Path][Method]>;
  /** One of a list. */
  type Item<Path extends keyof Paths> = Paths[Path] extends { get: infer Found }
    ? AnswerOf<Found> extends { items: (infer One)[] }
      ? One
      : never
    : never;
}

export type Get = <const A extends string>(
  address: A & Known<A, 'get'>,
  query?: QueryOf<Operation<A, 'get'>> | null,
  signal?: AbortSignal,
) => Promise<AnswerOf<Operation<A, 'get'>>>;

type Send<Method extends Methods> = <const A extends string>(
  address: A & Known<A, Method>,
  ...rest: BodyAndSignal<Operation<A, Method>>
) => Promise<AnswerOf<Operation<A, Method>>>;
export type Post = Send<'post'>;
export type Replace = Send<'put'>;

/** `version`: what the entity's tag has in it. */
export type Change = <const A extends string>(
  address: A & Known<A, 'patch'>,
  body: BodyOf<Operation<A, 'patch'>>,
  version: number | string,
  signal?: AbortSignal,
) => Promise<AnswerOf<Operation<A, 'patch'>>>;

export type ActOn = <const A extends string>(
  address: A & Known<A, 'post'>,
  version: number | string,
  ...rest: BodyAndSignal<Operation<A, 'post'>>
) => Promise<AnswerOf<Operation<A, 'post'>>>;

export type Remove = <const A extends string>(
  address: A & Known<A, 'delete'>,
  signal?: AbortSignal,
) => Promise<AnswerOf<Operation<A, 'delete'>>>;

export type RemoveSeen = <const A extends string>(
  address: A & Known<A, 'delete'>,
  version: number | string,
  signal?: AbortSignal,
) => Promise<AnswerOf<Operation<A, 'delete'>>>;

type SendFile<Method extends Methods> = <const A extends string>(
  address: A & Known<A, Method>,
  query: QueryOf<Operation<A, Method>> | null,
  file: Blob,
  signal?: AbortSignal,
) => Promise<AnswerOf<Operation<A, Method>>>;
export type PutFile = SendFile<'put'>;
export type PostFile = SendFile<'post'>;

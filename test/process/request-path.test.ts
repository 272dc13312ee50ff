import { expect, test } from 'vitest';
import { pathOf } from '../../src/process/request-path.ts';

test.each([
  ['/', '/'],
  ['/livez?verbose', '/livez'],
  ['/assets/%73tyle.css', '/assets/style.css'],
  ['http://host.test/assets/style.css?v=1', '/assets/style.css'],
  ['HTTPS://host.test:8443/a', '/a'],
  ['http://host.test', '/'],
  ['http://host.test?a=/b', '/'],
  ['/redirect?to=http://host.test/livez', '/redirect'],
  ['/a%2Fb', '/a%2Fb'],
  ['/%zz', '/%zz'],
  ['//host.test/livez', '//host.test/livez'],
  ['*', '*'],
  [undefined, '/'],
])('the path of %j is %j', (url, path) => {
  expect(pathOf({ url })).toBe(path);
});

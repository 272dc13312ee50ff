import { createServer, type Socket } from 'node:net';

/** What it says to a command; `cut` ends the connection instead. Undefined: what a server says when all is well. */
type Reply = string | undefined | Promise<string | undefined>;

export interface SmtpScript {
  greet?(): Reply;
  ehlo?(): Reply;
  mailFrom?(): Reply;
  rcptTo?(address: string): Reply;
  data?(address: string): Reply;
  /** After the final dot: the mail counts as taken unless this refuses it. */
  end?(mail: ReceivedMail): Reply;
}

export interface ReceivedMail {
  readonly messageId: string;
  readonly to: string;
  readonly text: string;
}

export interface ScriptedSmtp {
  url: string;
  /** Can be replaced at any time. */
  script: SmtpScript;
  /** Every mail of which all was transmitted, with the answer that it got; null: none, or not yet. */
  readonly received: (ReceivedMail & { reply: string | null })[];
  readonly connections: number;
  /** How often MAIL FROM was said. */
  readonly transactions: number;
  close(): Promise<void>;
}

/** An SMTP server that answers as it is told to, to see how a client takes what real ones do on a bad day. */
export async function startScriptedSmtp(script: SmtpScript = {}): Promise<ScriptedSmtp> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let transactions = 0;
  const smtp: ScriptedSmtp = {
    url: '',
    script,
    received: [],
    get connections() {
      return connections;
    },
    get transactions() {
      return transactions;
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };

  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    let recipient = '';
    let mail: string[] | undefined;

    const say = async (reply: Reply, otherwise: string): Promise<string> => {
      const line = (await reply) ?? otherwise;
      if (line === 'cut') socket.destroy();
      else if (socket.writable) socket.write(`${line}\r\n`);
      if (line.startsWith('421')) socket.end();
      return line;
    };

    async function answer(line: string): Promise<void> {
      if (mail !== undefined) {
        if (line !== '.') return void mail.push(line);
        const text = mail.join('\n');
        mail = undefined;
        const received = { messageId: /^message-id:\s*(\S+)/im.exec(text)?.[1] ?? '', to: recipient, text };
        const entry = { ...received, reply: null as string | null };
        smtp.received.push(entry);
        entry.reply = await say(smtp.script.end?.(received), '250 2.0.0 taken');
        return;
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'EHLO') await say(smtp.script.ehlo?.(), '250 scripted.test');
      else if (verb === 'MAIL') {
        transactions++;
        await say(smtp.script.mailFrom?.(), '250 2.1.0 ok');
      } else if (verb === 'RCPT') {
        recipient = /<(.*)>/.exec(line)?.[1] ?? '';
        await say(smtp.script.rcptTo?.(recipient), '250 2.1.5 ok');
      } else if (verb === 'DATA') {
        if ((await say(smtp.script.data?.(recipient), '354 go ahead')).startsWith('354')) mail = [];
      } else if (verb === 'QUIT') socket.end('221 bye\r\n');
      else await say(undefined, '250 2.0.0 ok');
    }

    let buffer = '';
    let answering: Promise<unknown> = say(smtp.script.greet?.(), '220 scripted.test ESMTP');
    socket.on('data', (chunk) => {
      const lines = (buffer + chunk.toString('latin1')).split('\r\n');
      buffer = lines.pop() ?? '';
      for (const line of lines) answering = answering.then(() => answer(line));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };

  smtp.url = `smtp://127.0.0.1:${port}`;
  return smtp;
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface TestCertificate {
  /** Paths of files in PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Another one in the same files. */
  renew(): void;
  remove(): void;
}

/** One that only vouches for itself, for `name`, for three days. */
export function makeCertificate(name: string): TestCertificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-certificate-'));
  const [key, certificate] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const renew = () => {
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
    const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3'];
    execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', certificate, ...subject], { stdio: 'ignore' });
  };
  renew();
  return { certificate, key, renew, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

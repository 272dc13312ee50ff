import type { PersonalLink } from '../../src/mail/personal-link.ts';
import type { Figures, MailFeedback, Module } from '../../src/modules/faces.ts';

/** Loads one kind of face from all modules that have it, in the order of the list. */
export async function loadFaces<T>(
  modules: readonly Module[],
  face: (module: Module) => (() => Promise<T>) | undefined,
): Promise<T[]> {
  return Promise.all(modules.flatMap((module) => face(module)?.() ?? []));
}

/** The key figures of all modules together. */
export async function loadFigures(modules: readonly Module[]): Promise<Figures> {
  const faces = await loadFaces(modules, ({ figures }) => figures);
  return Object.assign({}, ...faces.map(({ figures }) => figures));
}

export async function loadLinks(modules: readonly Module[]): Promise<PersonalLink[]> {
  return (await loadFaces(modules, ({ links }) => links)).map(({ link }) => link);
}

export async function loadFeedbacks(modules: readonly Module[]): Promise<MailFeedback[]> {
  return (await loadFaces(modules, ({ feedback }) => feedback)).map(({ feedback }) => feedback);
}

export function queueNames(modules: readonly Module[]): string[] {
  return modules.flatMap(({ queues = [] }) => queues);
}

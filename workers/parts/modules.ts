import type { PersonalLink } from '../../src/mail/personal-link.ts';
import type { AuditWords } from '../../src/modules/audit/audit.ts';
import type { AnyEventTexts, Figures, MailFeedback, Module, PersonalData } from '../../src/modules/faces.ts';
import type { AlertRule } from '../../src/process/alert-before-full.ts';

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

/** What the actions of all modules say in the audit log. */
export async function loadActions(modules: readonly Module[]): Promise<AuditWords> {
  const faces = await loadFaces(modules, (module) => module.actions);
  return Object.assign({}, ...faces.map(({ actions }) => actions));
}

/** The public events of all modules together. */
export async function loadEvents(modules: readonly Module[]): Promise<AnyEventTexts> {
  const faces = await loadFaces(modules, ({ events }) => events);
  return Object.assign({}, ...faces.map(({ events }) => events));
}

/** What the tables of all modules hold about a person. */
export async function loadPersonalData(modules: readonly Module[]): Promise<PersonalData> {
  const faces = await loadFaces(modules, ({ person }) => person);
  return Object.assign({}, ...faces.map(({ person }) => person));
}

export async function loadLinks(modules: readonly Module[]): Promise<PersonalLink[]> {
  return (await loadFaces(modules, ({ links }) => links)).map(({ link }) => link);
}

export async function loadFeedbacks(modules: readonly Module[]): Promise<MailFeedback[]> {
  return (await loadFaces(modules, ({ feedback }) => feedback)).map(({ feedback }) => feedback);
}

/** What somebody should hear of, of all modules. */
export async function loadRules(modules: readonly Module[]): Promise<AlertRule[]> {
  return (await loadFaces(modules, (module) => module.alerts)).flatMap(({ alerts }) => alerts);
}

export function queueNames(modules: readonly Module[]): string[] {
  return modules.flatMap(({ queues = [] }) => queues);
}

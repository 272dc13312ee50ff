import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { projectFile } from '../../src/files.ts';
import { PLATFORM } from '../../src/modules.ts';
import { moduleFile, modulesWithTemplate } from '../template.ts';
import type { Exception } from './exceptions.ts';
import type { SmallGroup } from './small-groups.ts';

/** What a module says of the plans of its own statements, and of its indexes. */
export interface ModulePlans {
  readonly exceptions?: readonly Exception[];
  readonly smallGroups?: readonly SmallGroup[];
  /** Indexes that do not begin with the organisation, each with its reason. */
  readonly indexesAcross?: Readonly<Record<string, string>>;
}

/** Of the modules that say something: test/modules/<noun>/query-plans.ts. */
export function modulePlans(): Promise<ModulePlans[]> {
  const files = [...PLATFORM.map(({ name }) => name), ...modulesWithTemplate()]
    .map((name) => projectFile(moduleFile('test', name, 'query-plans.ts')))
    .filter(existsSync);
  return Promise.all(files.map((file): Promise<ModulePlans> => import(pathToFileURL(file).href)));
}

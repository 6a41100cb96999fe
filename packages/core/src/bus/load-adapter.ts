/** The one place where core knows that there are packages with adapters: by name, and only when one is asked for. */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { howToInstall } from '../errors/how-to-install.ts';
import type { Runtime } from '../runtime/runtime.ts';

interface JournalSettings {
  readonly dataDir?: string | undefined;
  readonly runtime?: Runtime | undefined;
}

/** Where a bus keeps its journal that was not told a folder. */
export const DATA_DIR_DEFAULT = './event-bus-data';

interface JournalPackage {
  journal(options: { directory: string; runtime?: Runtime }): EventBusAdapter;
}

interface RedisPackage {
  readonly RedisAdapter: new (options: object) => EventBusAdapter;
}

/** Throws `adapter_not_installed`. */
export async function loadJournal({ dataDir = DATA_DIR_DEFAULT, runtime }: JournalSettings): Promise<EventBusAdapter> {
  const { journal } = await load<JournalPackage>('journal');
  return journal({ directory: dataDir, ...(runtime ? { runtime } : {}) });
}

/** Throws `adapter_not_installed`. */
export async function loadRedis(options: object): Promise<EventBusAdapter> {
  const { RedisAdapter } = await load<RedisPackage>('redis');
  return new RedisAdapter(options);
}

async function load<Package>(adapter: string): Promise<Package> {
  const name = `@event-manager/${adapter}`;
  try {
    return (await import(/* @vite-ignore */ name)) as Package;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND' || !String(error).includes(name)) throw error;
    const words = `The adapter ${adapter} is a package of its own that is not installed. ${howToInstall(name)}.`;
    throw new EventManagerError('adapter_not_installed', words, { adapter, package: name }, error);
  }
}

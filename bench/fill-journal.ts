import { journal } from '@event-manager/journal';
import { fillStore } from './fill-store.ts';

/** Makes a journal with `count` sample events. */
export async function fillJournal(directory: string, count: number): Promise<void> {
  const adapter = journal({ directory });
  await adapter.open();
  await fillStore(adapter.store, count);
  await adapter.close();
}

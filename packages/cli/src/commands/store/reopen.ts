import type { CliContext } from '../../cli-context.ts';
import { Output } from '../../output/output.ts';
import type { StoreFlags } from './route.ts';
import { storeAt } from './store-at.ts';

export async function reopenStore(this: CliContext, flags: StoreFlags, place: string): Promise<void> {
  const { adapter, name } = storeAt(place, flags, this.surroundings.environment);
  await adapter.stay();
  const result = { place: name, isMoved: false };
  await new Output(this, flags).result(result, () => [`${name} may be used again`]);
}

import { runService } from '@event-manager/server/run-service';
import type { CliContext } from '../../cli-context.ts';
import { endWithParent } from './end-with-parent.ts';
import type { ServeFlags } from './route.ts';
import { settingArguments } from './setting-arguments.ts';

/** Ends by a signal, or with exit code 1 when the service does not start, 2 when a setting is wrong. */
export async function serve(this: CliContext, flags: ServeFlags): Promise<void> {
  const { environment, homeDirectory, runtime } = this.surroundings;
  endWithParent(environment, runtime.timers);
  await runService({ args: settingArguments(flags), environment, homeDirectory });
}

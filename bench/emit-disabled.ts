import { registerHooks } from 'node:module';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { alternate } from './rounds.ts';

const PACKAGE = '/packages/';
const OWN = '/packages/components/';

/**
 * Calls of a component whose events are off, against the bare function in turns; and what was loaded of the event system to get
 * there. Events can be switched on at any time, so a call looks at one field; what cannot be switched is the bare function itself.
 */
export async function emitDisabled(bench: Bench): Promise<Measured> {
  const count = sized(bench, { full: 100_000_000, quick: 20_000_000, smoke: 1_000 });
  const loaded = watchModules();
  const { ComponentRegistry } = await import('@event-manager/components');
  const noBus = () => {
    throw new TypeError('Events are off: nobody asks for a bus.');
  };
  const registry = await ComponentRegistry.withEventBus(noBus, {}, { environment: {} });
  const wrapped = registry.createExecutionContext().wrapTool('add', add);
  const compared = await alternate(
    bench,
    async () => callRate(wrapped, count),
    async () => callRate(add, count),
  );
  await registry.close();
  const foreign = loaded.filter((url) => url.includes(PACKAGE) && !url.includes(OWN)).length;
  const own = loaded.filter((url) => url.includes(OWN)).length;
  return {
    ...compared,
    unit: 'calls/s',
    ok: foreign === 0,
    note: 'a function whose events are off and can be switched on; limit: the bare function. The details count loaded modules of the components package, and of all other packages',
    details: { modulesOfComponents: own, modulesOfOthers: foreign },
  };
}

function add(sum: number, more: number): number {
  return (sum + more) % 65_521;
}

function callRate(call: typeof add, times: number): number {
  const startedMs = performance.now();
  let sum = 0;
  for (let at = 0; at < times; at++) sum = call(sum, at);
  const tookMs = performance.now() - startedMs;
  if (sum < 0) throw new RangeError('The sum is wrong.');
  return (times * 1_000) / tookMs;
}

/** The addresses of the modules that are loaded from now on. */
function watchModules(): readonly string[] {
  const loaded: string[] = [];
  registerHooks({
    load(url, context, next) {
      loaded.push(url);
      return next(url, context);
    },
  });
  return loaded;
}

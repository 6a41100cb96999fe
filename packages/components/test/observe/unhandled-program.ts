// Fails in a component with events on: `unhandled-program.ts promise|stream|handled`.
import { PassThrough } from 'node:stream';
import { ComponentRegistry } from '@event-manager/components';

const registry = await ComponentRegistry.configured({ config: { enabled: true }, environment: {} });
const context = registry.createExecutionContext();
const failure = new TypeError('nobody handles this');
const how = process.argv[2];
if (how === 'stream')
  context
    .wrapTool('read', () => new PassThrough())()
    .destroy(failure);
else {
  const promise = context.wrapTool('fetch', () => Promise.reject(failure))();
  if (how === 'handled') await promise.catch(() => process.stdout.write('handled\n'));
}

import { ComponentRegistry, ExecutionContext } from '@event-manager/components';
import { EventBus } from '@event-manager/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { collecting } from './collecting.ts';

describe('components and their events', () => {
  it('tells that each kind of component started and completed, and how long it took', async () => {
    const { registry, emitted } = await collecting();
    const context = registry.createExecutionContext({ source: 'shop' });
    context.wrapAgent('planner', () => 1)();
    context.wrapTool('search', () => 1)();
    context.wrapWorkflow('release', () => 1)();
    context.wrapStep('build', () => 1)();
    context.wrapHook('before-save', () => 1)();
    const events = await emitted();
    const kinds = ['agent', 'tool', 'workflow', 'workflow.step', 'hook'];
    expect(events.map(({ type }) => type)).toEqual(kinds.flatMap((kind) => [`${kind}.started`, `${kind}.completed`]));
    expect(events[1]).toMatchObject({ source: 'shop', topic: 'agent.completed', payload: { name: 'planner' } });
    expect(events[1]!.payload['durationMs']).toBeGreaterThanOrEqual(0);
  });

  it('tells of a failure, and throws the very same error', async () => {
    const { registry, emitted } = await collecting();
    const error = Object.assign(new TypeError('no such page'), { code: 'E_PAGE' });
    const tool = registry.createExecutionContext().wrapTool('fetch', () => {
      throw error;
    });
    expect(tool).toThrow(error);
    const [, failed] = await emitted();
    expect(failed).toMatchObject({
      type: 'tool.failed',
      payload: { name: 'fetch', error: { name: 'TypeError', message: 'no such page', code: 'E_PAGE' } },
    });
  });

  it('keeps a tool inside an agent inside a workflow in one flow, each following from what is around it', async () => {
    const { registry, emitted } = await collecting();
    const context = registry.createExecutionContext();
    const tool = context.wrapTool('search', async () => 'found');
    const agent = context.wrapAgent('planner', async () => {
      await Promise.resolve();
      context.emit('planner.thought', { step: 1 });
      return tool();
    });
    const workflow = context.wrapWorkflow('release', () => Promise.all([agent(), agent()]));
    await workflow();
    await workflow();
    const events = await emitted();
    const flows = Map.groupBy(events, ({ correlationId }) => correlationId);
    expect([...flows.values()].map(({ length }) => length)).toEqual([12, 12]);
    const byId = new Map(events.map((event) => [event.id, event.type]));
    const causes = new Set(
      events.map(({ type, causationId }) => `${type} < ${byId.get(causationId ?? '') ?? 'nothing'}`),
    );
    expect([...causes].sort()).toEqual([
      'agent.completed < agent.started',
      'agent.started < workflow.started',
      'planner.thought < agent.started',
      'tool.completed < tool.started',
      'tool.started < agent.started',
      'workflow.completed < workflow.started',
      'workflow.started < nothing',
    ]);
  });

  it('keeps the flow where its beginning is not told', async () => {
    const { registry, emitted } = await collecting({ filtering: { includeTypes: ['*.completed'] } });
    const context = registry.createExecutionContext();
    const tool = context.wrapTool('search', () => 1);
    context.wrapAgent('planner', () => tool())();
    const [inner, outer] = await emitted();
    expect([inner!.type, outer!.type]).toEqual(['tool.completed', 'agent.completed']);
    expect(inner!.correlationId).toBe(outer!.correlationId);
    expect([inner!.causationId, outer!.causationId]).toEqual([undefined, undefined]);
  });

  it('goes on with a flow that began elsewhere, and hands it on', async () => {
    const { registry, emitted } = await collecting();
    const context = registry.createExecutionContext({ correlationId: 'order-17', causationId: 'cause' });
    expect(context.flow).toEqual({ correlationId: 'order-17', causationId: 'cause' });
    const inside = context.wrapAgent('planner', () => context.flow)();
    const [started] = await emitted();
    expect(started).toMatchObject({ correlationId: 'order-17', causationId: 'cause' });
    expect(inside).toEqual({ correlationId: 'order-17', causationId: started!.id });
  });

  it('calls a method with its object and keeps name and length', async () => {
    const { registry } = await collecting();
    const agent = {
      greeting: 'hello',
      execute(name: string, _times: number) {
        return `${this.greeting} ${name}`;
      },
    };
    const wrapped = registry.createExecutionContext().wrapAgent('greeter', agent.execute);
    expect([wrapped.name, wrapped.length]).toEqual(['execute', 2]);
    expect(wrapped.call(agent, 'you', 1)).toBe('hello you');
  });

  it('shows what a library put on the function, as it is now', async () => {
    const { registry } = await collecting();
    const search = Object.assign((query: string) => query, { description: 'finds pages' });
    const wrapped = registry.createExecutionContext().wrapTool('search', search);
    expect(wrapped.description).toBe('finds pages');
    search.description = 'finds more';
    expect([wrapped.description, wrapped('x')]).toEqual(['finds more', 'x']);
  });

  it('takes a bus whose events are typed', async () => {
    const bus = new EventBus<{ order_created: { id: number } }>();
    onTestFinished(() => bus.close());
    const registry = await ComponentRegistry.withEventBus(bus, { enabled: true }, { environment: {} });
    registry.createExecutionContext().wrapTool('search', () => 1)();
    await registry.close();
    expect(registry.status().counts).toMatchObject({ published: 2 });
  });

  it('publishes to a real bus, where the flow can be found', async () => {
    const bus = new EventBus({ name: 'agents' });
    onTestFinished(() => bus.close());
    const registry = await ComponentRegistry.withEventBus(bus, { enabled: true }, { environment: {} });
    const heard: string[] = [];
    await bus.subscribe('agent.*', (event) => void heard.push(event.type));
    registry.createExecutionContext({ correlationId: 'f-1' }).wrapAgent('planner', () => 1)();
    await registry.close();
    await bus.settled();
    expect(heard).toEqual(['agent.started', 'agent.completed']);
    expect((await bus.queryEventsByCorrelationId('f-1')).map(({ type }) => type)).toEqual(heard);
  });

  it('takes the fields of another context', async () => {
    const { registry } = await collecting();
    const base = new ExecutionContext({ source: 'shop', projectId: 'p-1' });
    expect(registry.createExecutionContext(base).fields).toEqual({ source: 'shop', projectId: 'p-1' });
  });
});

describe('without events', () => {
  it('wraps nothing: what one gets is the component itself', async () => {
    const component = () => 1;
    const contexts = [new ExecutionContext(), new ComponentRegistry().createExecutionContext()];
    for (const context of contexts) {
      expect(context.wrapAgent('planner', component)).toBe(component);
      expect([context.emit('a.b', {}), context.flow]).toEqual([false, {}]);
    }
    const registry = new ComponentRegistry();
    expect(registry.status()).toEqual({ enabled: false, settings: [] });
    await expect(registry.enable()).rejects.toThrow(TypeError);
    expect(await registry.close()).toEqual({ flushed: true, lost: 0 });
  });

  it('refuses an option that nobody reads, on or off', async () => {
    const misspelt = { wacth: true, environment: {} } as object;
    await expect(ComponentRegistry.configured(misspelt)).rejects.toThrow(/no option "wacth"; it has config, file/);
    await expect(ComponentRegistry.withEventBus({} as never)).rejects.toThrow(/A bus has a function publish/);
  });

  it('refuses to wrap what is no function, on or off', async () => {
    const { registry } = await collecting();
    for (const context of [new ExecutionContext(), registry.createExecutionContext()]) {
      expect(() => context.wrapTool('search', undefined as never)).toThrow(/a name and a function; search has none/);
    }
  });

  it('is off until somebody says otherwise, and then emits', async () => {
    const { registry, types } = await collecting({ enabled: undefined });
    const tool = registry.createExecutionContext().wrapTool('search', () => 1);
    tool();
    expect([registry.enabled, await types()]).toEqual([false, []]);
    await registry.enable();
    tool();
    expect(await types()).toEqual(['tool.started', 'tool.completed']);
    await registry.disable();
    tool();
    expect([registry.enabled, await types()]).toEqual([false, ['tool.started', 'tool.completed']]);
  });
});

import { type BusEvent, EventBus, type EventManager, Signal } from '@event-manager/core';
import { describe, expect, expectTypeOf, it } from 'vitest';

/** What a wrong payload, topic or handler must not do is compile: each `@ts-expect-error` fails the check of types where it would. */
interface Task {
  readonly id: string;
  readonly title: string;
}

type TaskEvents = {
  task_created: { task: Task; createdBy: string };
  task_deleted: { id: string };
  'project.created': { projectId: string };
  'project.member.added': { projectId: string; userId: string };
};

const TASK: Task = { id: 't', title: 'write it down' };

function tasks(): EventBus<TaskEvents> {
  return new EventBus<TaskEvents>();
}

describe('publish', () => {
  it('takes the payload of the type, in both shapes', async () => {
    await using bus = tasks();
    await bus.publish('task/created', 'task_created', { task: TASK, createdBy: 'ann' });
    await bus.publish({ type: 'task_created', topic: 'task/created', data: { task: TASK, createdBy: 'ann' } });
    await bus.publish({ type: 'task_deleted', payload: { id: 't' } });
    expect(bus.getMetrics()?.eventsByType).toEqual({ task_created: 2, task_deleted: 1 });
  });

  it('takes nothing else', () => {
    const unused = async (bus: EventBus<TaskEvents>) => {
      // @ts-expect-error: the payload of another type.
      await bus.publish('task/created', 'task_created', { id: 't' });
      // @ts-expect-error: a field of another type.
      await bus.publish('task/deleted', 'task_deleted', { id: 1 });
      // @ts-expect-error: without its payload.
      await bus.publish('task/deleted', 'task_deleted');
      // @ts-expect-error: a type that is none.
      await bus.publish('task/created', 'task_create', { id: 't' });
      // @ts-expect-error: the same as an object.
      await bus.publish({ type: 'task_create', data: { id: 't' } });
      // @ts-expect-error: without its payload.
      await bus.publish({ type: 'task_deleted' });
      // @ts-expect-error: the payload of another type.
      await bus.publish({ type: 'task_deleted', data: { task: TASK, createdBy: 'ann' } });
      // @ts-expect-error: an option that there is not.
      await bus.publish('task/deleted', 'task_deleted', { id: 't' }, { prio: 'HIGH' });
    };
    expect(unused).toBeTypeOf('function');
  });
});

describe('subscribe', () => {
  it('gives the payloads of the types that the pattern matches, told apart by their type', async () => {
    await using bus = tasks();
    await bus.subscribe('project.created', (event, context) => {
      expectTypeOf(event.payload).toEqualTypeOf<{ projectId: string }>();
      expectTypeOf(event.data).toEqualTypeOf<{ projectId: string }>();
      expectTypeOf(event.metadata.eventId).toEqualTypeOf<string>();
      expectTypeOf(context.nack).returns.toEqualTypeOf<boolean>();
    });
    await bus.subscribe('project.*', (event) => {
      expectTypeOf(event.type).toEqualTypeOf<'project.created' | 'project.member.added'>();
      if (event.type === 'project.member.added') expectTypeOf(event.payload.userId).toEqualTypeOf<string>();
    });
    await bus.subscribe('*', (event) => {
      expectTypeOf(event.type).toEqualTypeOf<keyof TaskEvents>();
    });
    // A topic that is no type: its publishers decide, so it may be any of them.
    await bus.subscribe('task/created', (event) => {
      expectTypeOf(event.type).toEqualTypeOf<keyof TaskEvents>();
    });
  });

  it('refuses handlers of something else', () => {
    const unused = async (bus: EventBus<TaskEvents>) => {
      // @ts-expect-error: the payload has no such field.
      await bus.subscribe('project.created', (event) => event.payload.userId);
      // @ts-expect-error: nor has each of the union.
      await bus.subscribe('project.*', (event) => event.payload.userId);
      // @ts-expect-error: a handler of other payloads.
      await bus.subscribe('project.created', (event: BusEvent<{ name: string }>) => event.payload.name);
      // @ts-expect-error: no handler.
      await bus.subscribe('project.created', 'handler');
      // @ts-expect-error: an option that there is not.
      await bus.subscribe('project.created', () => {}, { maxRetry: 3 });
      // @ts-expect-error: an option of another kind.
      await bus.subscribe('project.created', () => {}, { autoAck: 'no' });
    };
    expect(unused).toBeTypeOf('function');
  });
});

describe('emit and on', () => {
  it('give payload and name, told apart by the name', async () => {
    const bus = tasks();
    const seen: unknown[] = [];
    bus.on('project.created', (payload, name) => {
      expectTypeOf(payload).toEqualTypeOf<{ projectId: string }>();
      expectTypeOf(name).toEqualTypeOf<'project.created'>();
      seen.push(payload.projectId);
    });
    bus.on('project.*', (...given) => {
      if (given[1] === 'project.member.added') seen.push(given[0].userId);
    });
    bus.emit('project.created', { projectId: 'p' });
    await bus.emitAsync('project.member.added', { projectId: 'p', userId: 'u' });
    expect(seen).toEqual(['p', 'u']);
    const events = bus.events('project.*');
    bus.emit('project.created', { projectId: 'q' });
    for await (const emitted of events) {
      expectTypeOf(emitted.name).toEqualTypeOf<'project.created' | 'project.member.added'>();
      if (emitted.name === 'project.created') expectTypeOf(emitted.payload).toEqualTypeOf<{ projectId: string }>();
      break;
    }
  });

  it('refuse what does not belong together', () => {
    const unused = (bus: EventBus<TaskEvents>, signal: Signal<TaskEvents>) => {
      // @ts-expect-error: the payload of another name.
      bus.emit('project.created', { id: 't' });
      // @ts-expect-error: a name that is none.
      bus.emit('project.create', { projectId: 'p' });
      // @ts-expect-error: without its payload.
      bus.emit('project.created');
      // @ts-expect-error: a pattern is no name.
      bus.emit('project.*', { projectId: 'p' });
      // @ts-expect-error: a listener of something else.
      bus.on('project.created', (payload: { userId: string }) => payload.userId);
      // @ts-expect-error: the same for one alone.
      signal.once('project.created', (payload: number) => payload);
      // @ts-expect-error: the same awaited.
      void signal.emitAsync('task_deleted', {});
    };
    expect(unused).toBeTypeOf('function');
  });
});

describe('the rest of the product', () => {
  it('knows the same types', async () => {
    await using bus = tasks();
    expectTypeOf(bus.eventManager).toEqualTypeOf<EventManager<TaskEvents>>();
    const [event] = await bus.queryEventsByCorrelationId('a');
    if (event?.type === 'task_deleted') expectTypeOf(event.payload.id).toEqualTypeOf<string>();
  });
});

describe('without a map', () => {
  it('a payload is anything, and handlers say what they take', async () => {
    await using bus = new EventBus();
    const received: string[] = [];
    await bus.subscribe('orders', async (event: BusEvent<{ id: string }>) => received.push(event.payload.id));
    await bus.subscribe('orders', (event) => received.push(event.payload.id));
    await bus.publish('orders', 'order.created', { id: 'a' });
    bus.on('order.*', (payload) => received.push(payload.id));
    bus.emit('order.created', { id: 'b' });
    bus.emit('ticked');
    expect(received).toEqual(['a', 'a', 'b']);
    expect(new Signal<{ a: number }>().emit('a', 1)).toBe(false);
  });
});

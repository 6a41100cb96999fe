import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Collecting, collecting } from '../collecting.ts';

const run = promisify(execFile);

async function observed<Component extends (...given: never[]) => unknown>(
  component: Component,
): Promise<Collecting & { readonly component: Component }> {
  const made = await collecting();
  const wrapped = made.registry.createExecutionContext().observe('component', 'mine', component as never) as Component;
  return { ...made, component: wrapped };
}

const last = async ({ emitted }: Collecting) => (await emitted()).at(-1)!;

describe('a promise', () => {
  it('is observed to its end, and gives what it gives', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const made = await observed(() => promise);
    const answer = made.component();
    expect(await made.types()).toEqual(['component.started']);
    resolve(7);
    expect(await answer).toBe(7);
    expect(await made.types()).toEqual(['component.started', 'component.completed']);
  });

  it('rejects with the same error', async () => {
    const error = new RangeError('no');
    const made = await observed(() => Promise.reject(error));
    await expect(made.component()).rejects.toBe(error);
    expect(await last(made)).toMatchObject({ type: 'component.failed', payload: { error: { name: 'RangeError' } } });
  });

  it('keeps its class and what it carries', async () => {
    class Query extends Promise<number> {}
    const made = await observed(() => Object.assign(Query.resolve(1), { sql: 'select 1' }));
    const query = made.component();
    expect(query).toBeInstanceOf(Query);
    expect(query.sql).toBe('select 1');
    expect(await query).toBe(1);
  });

  /** With events on, a program must end by what would have ended it without them. */
  it('that nobody handles still ends the program', async () => {
    const program = join(import.meta.dirname, 'unhandled-program.ts');
    const flags = ['--conditions=source', '--no-warnings', program];
    for (const how of ['promise', 'stream']) {
      const failed = await run(process.execPath, [...flags, how]).catch(
        (error) => error as { code: number; stderr: string },
      );
      expect([how, (failed as { code?: number }).code]).toEqual([how, 1]);
      expect(failed.stderr).toContain('nobody handles this');
    }
    expect((await run(process.execPath, [...flags, 'handled'])).stdout).toBe('handled\n');
  });
});

describe('what can be awaited and is more than a promise', () => {
  it('begins to work when its caller asks for the result, and not before', async () => {
    let asked = 0;
    const query = {
      where: () => query,
      // biome-ignore lint/suspicious/noThenProperty: this is what is tested.
      then(resolve: (rows: number) => unknown) {
        asked++;
        return Promise.resolve(resolve(3));
      },
    };
    const made = await observed(() => query);
    const given = made.component();
    expect([given === query, asked, await made.types()]).toEqual([true, 0, ['component.started']]);
    expect([await given.where(), asked]).toEqual([3, 1]);
    expect(await made.types()).toEqual(['component.started', 'component.completed']);
  });

  it('that cannot be changed is completed when it is given', async () => {
    // biome-ignore lint/suspicious/noThenProperty: this is what is tested.
    const frozen = Object.freeze({ then: (resolve: (value: number) => void) => resolve(1) });
    const made = await observed(() => frozen);
    expect(made.component()).toBe(frozen);
    expect(await made.types()).toEqual(['component.started', 'component.completed']);
  });
});

describe('a generator', () => {
  it('is completed with its last item, and what it calls belongs to it', async () => {
    const made = await collecting();
    const context = made.registry.createExecutionContext();
    const tool = context.wrapTool('search', () => 1);
    const agent = context.wrapAgent('planner', function* (count: number) {
      for (let n = 0; n < count; n++) yield tool();
      return 'done';
    });
    const steps = agent(2);
    expect(Object.prototype.toString.call(steps)).toBe('[object Generator]');
    expect([...steps]).toEqual([1, 1]);
    const events = await made.emitted();
    expect(events.at(-1)).toMatchObject({ type: 'agent.completed', payload: { items: 2 } });
    const [started] = events;
    const tools = events.filter(({ type }) => type === 'tool.started');
    expect(tools.map(({ causationId }) => causationId)).toEqual([started!.id, started!.id]);
  });

  it('passes on what is sent in, and what is thrown', async () => {
    const made = await observed(function* (): Generator<number, string, number> {
      const sent = yield 1;
      yield sent * 2;
      throw new TypeError('inside');
    });
    const steps = made.component();
    expect([steps.next(), steps.next(21)]).toEqual([
      { value: 1, done: false },
      { value: 42, done: false },
    ]);
    expect(() => steps.next()).toThrow('inside');
    expect(await last(made)).toMatchObject({ type: 'component.failed', payload: { items: 2 } });
  });

  it('that is left is completed, and cleans up', async () => {
    let isClean = false;
    const made = await observed(async function* () {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        isClean = true;
      }
    });
    for await (const n of made.component()) if (n === 2) break;
    expect(isClean).toBe(true);
    expect(await last(made)).toMatchObject({ type: 'component.completed', payload: { items: 3, ended: 'left' } });
  });

  it('of a promise is observed too', async () => {
    const made = await observed(async () => {
      async function* items() {
        yield 1;
      }
      return items();
    });
    for await (const _item of await made.component()) expect(await made.types()).toEqual(['component.started']);
    expect(await last(made)).toMatchObject({ type: 'component.completed', payload: { items: 1 } });
  });

  it('of a library, with methods of its own, keeps them', async () => {
    const response = {
      controller: 'x',
      async *[Symbol.asyncIterator]() {
        yield 'a';
        yield 'b';
      },
    };
    const made = await observed(() => response);
    const given = made.component();
    expect(given).toBe(response);
    const items = [];
    for await (const item of given) items.push(item);
    expect(items).toEqual(['a', 'b']);
    expect(await last(made)).toMatchObject({ type: 'component.completed', payload: { items: 2 } });
  });
});

describe('a stream', () => {
  it('of Node is the same one, read by its caller alone', async () => {
    const stream = Readable.from(['a', 'b']);
    const made = await observed(() => stream);
    const given = made.component();
    expect([given === stream, given.readableFlowing, await made.types()]).toEqual([true, null, ['component.started']]);
    expect(await text(given)).toBe('ab');
    expect(await last(made)).toMatchObject({ type: 'component.completed' });
  });

  it('of Node that fails is told, and its error stays the caller’s', async () => {
    const stream = new PassThrough();
    const made = await observed(() => stream);
    const failed = once(made.component(), 'error');
    stream.destroy(new TypeError('broken'));
    expect(((await failed) as [Error])[0].message).toBe('broken');
    expect(await last(made)).toMatchObject({ type: 'component.failed', payload: { error: { message: 'broken' } } });
  });

  it('of the web is read as its caller reads, and ends with it', async () => {
    let pulled = 0;
    const source = () =>
      new ReadableStream<string>(
        {
          pull(controller) {
            pulled++;
            if (pulled > 2) controller.close();
            else controller.enqueue(`part ${pulled}`);
          },
        },
        { highWaterMark: 0 },
      );
    const made = await observed(source);
    const stream = made.component();
    await made.emitted();
    expect(pulled).toBe(0);
    const parts = [];
    for await (const part of stream) parts.push(part);
    expect(parts).toEqual(['part 1', 'part 2']);
    expect(await last(made)).toMatchObject({ type: 'component.completed', payload: { items: 2 } });
  });

  it('of the web that is cancelled tells its source', async () => {
    let reason: unknown;
    const made = await observed(() => new ReadableStream({ cancel: (given) => void (reason = given) }));
    await made.component().cancel('enough');
    expect(reason).toBe('enough');
    expect(await last(made)).toMatchObject({ type: 'component.completed', payload: { ended: 'left' } });
  });
});

it('gives other values as they are', async () => {
  const values = [
    undefined,
    null,
    0,
    'text',
    Symbol.iterator,
    [1],
    new Map(),
    new EventEmitter(),
    new Proxy({}, {}),
    Buffer.from('x'),
  ];
  for (const value of values) {
    const made = await observed(() => value);
    expect(made.component()).toBe(value);
    expect(await made.types()).toEqual(['component.started', 'component.completed']);
  }
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const made = await observed(() => revoked.proxy);
  expect(made.component() === revoked.proxy).toBe(true);
  expect(await made.types()).toEqual(['component.started', 'component.completed']);
});

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { TaskManagerProcess } from './task-manager-process.ts';

const MAIN = join(import.meta.dirname, '../../examples/task-manager/main.ts');
const KILLS = Number(process.env['TASK_MANAGER_KILLS'] ?? 3);

async function start(options: { dataDir: string; port?: number }): Promise<TaskManagerProcess> {
  const server = await TaskManagerProcess.start(options);
  onTestFinished(() => server.end('SIGKILL'));
  return server;
}

it('does everything over HTTP, and says what is wrong', async () => {
  const server = await start({ dataDir: temporaryDirectory() });
  const made = await server.ask('POST', '/api/tasks', { id: 'a', title: 'Paint' });
  expect(made).toMatchObject({ status: 201, body: { id: 'a', createdBy: 'ann', status: 'todo' } });
  await server.ask('POST', '/api/tasks', { id: 'b', title: 'Wood' });
  const asked = [
    ['PATCH', '/api/tasks/a', { title: 'Paint it' }],
    ['PUT', '/api/tasks/a/status', { status: 'in-progress' }],
    ['PUT', '/api/tasks/a/priority', { priority: 'high' }],
    ['PUT', '/api/tasks/a/assignee', { assignee: 'bob' }],
    ['PUT', '/api/tasks/a/collaborators', { collaborators: ['carla'] }],
    ['PUT', '/api/tasks/a/watchers', { watchers: ['dan'] }],
    ['POST', '/api/tasks/a/dependencies', { dependsOn: 'b' }],
    ['DELETE', '/api/tasks/a/dependencies/b', undefined],
    ['POST', '/api/tasks/bulk', { ids: ['a', 'b'], changes: { priority: 'low' } }],
    ['GET', '/api/tasks/a', undefined],
  ] as const;
  for (const [method, path, body] of asked)
    expect([path, (await server.ask(method, path, body)).status]).toEqual([path, 200]);
  expect((await server.ask('GET', '/api/tasks/a')).body).toMatchObject({
    title: 'Paint it',
    priority: 'low',
    version: 10,
  });
  const { body: history } = await server.ask('GET', '/api/tasks/a/history');
  expect(history).toHaveLength(10);
  expect(history[1]).toMatchObject({
    type: 'task_updated',
    by: 'ann',
    changes: { title: { from: 'Paint', to: 'Paint it' } },
  });
  const wrong = [
    ['POST', '/api/tasks', { title: '' }, 'ann', 400, 'invalid_input'],
    ['POST', '/api/tasks', { title: 'x' }, '', 401, 'unknown_user'],
    ['DELETE', '/api/tasks/a', undefined, 'eve', 403, 'not_permitted'],
    ['GET', '/api/tasks/none', undefined, 'ann', 404, 'task_not_found'],
    ['POST', '/api/tasks', { id: 'a', title: 'x' }, 'ann', 409, 'task_exists'],
    ['GET', '/api/nothing', undefined, 'ann', 404, 'not_found'],
  ] as const;
  for (const [method, path, body, user, status, code] of wrong) {
    expect(await server.ask(method, path, body, user)).toMatchObject({ status, body: { code } });
  }
  const response = await fetch(`${server.url}/api/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{',
  });
  expect(response.status).toBe(400);
  expect((await server.ask('DELETE', '/api/tasks/a')).status).toBe(200);
});

it('does the same over TCP, a line for a line', async () => {
  const server = await start({ dataDir: temporaryDirectory() });
  const answers = await server.lines(
    'create {"title":"x"}',
    'as ann',
    'create {"id":"a","title":"Paint"}',
    'create {"id":"b","title":"Wood"}',
    'update a {"title":"Paint it"}',
    'status a in-progress',
    'status a gone',
    'priority a high',
    'assign a bob',
    'collaborators a carla, dan',
    'watchers a eve',
    'depend a b',
    'depend b a',
    'undepend a b',
    'bulk {"ids":["a","b"],"changes":{"status":"review"}}',
    'as eve',
    'delete a',
    'as ann',
    'delete a',
    'list',
    'fly away',
    'help',
  );
  expect(answers.map((line) => line.split(' ', line.startsWith('error') ? 2 : 1).join(' '))).toEqual([
    'error unknown_user',
    ...['ok', 'ok', 'ok', 'ok', 'ok'],
    'error invalid_input',
    ...['ok', 'ok', 'ok', 'ok', 'ok'],
    'error dependency_cycle',
    ...['ok', 'ok', 'ok'],
    'error not_permitted',
    ...['ok', 'ok', 'ok'],
    'error invalid_input',
    'ok',
  ]);
  expect(JSON.parse(answers[19]!.slice(3))).toMatchObject([{ id: 'b', status: 'review' }]);
  const flood = connect(server.tcpPort, '127.0.0.1');
  flood.on('error', () => {});
  flood.write('x'.repeat(1_024 * 1_024));
  await new Promise((resolve) => flood.once('close', resolve));
  expect(await server.lines('help')).toHaveLength(1);
  // As from `printf … | nc`: the end comes with the lines.
  const piped = connect(server.tcpPort, '127.0.0.1');
  piped.end(`as ann\ncreate {"id":"piped","title":"Piped"}\n${'get piped\n'.repeat(100)}`);
  expect((await text(piped)).trim().split('\n')).toHaveLength(102);
  // What a page could have its browser send.
  await fetch(`http://127.0.0.1:${server.tcpPort}/`, { method: 'POST', body: 'as root\ndelete piped\n' }).catch(
    () => {},
  );
  expect((await server.lines('get piped'))[0]).toMatch(/^ok/);
});

/** Each half of what the writers below ask for in one command. */
const isHalf = ({ status, priority }: { status: string; priority: string }) =>
  (status === 'review') !== (priority === 'high');

it(`keeps every task that was acknowledged, and no half of a command, over ${KILLS} kills while commands go on`, {
  timeout: 240_000,
}, async () => {
  const dataDir = temporaryDirectory();
  const acknowledged: string[] = [];
  for (let round = 0; round < KILLS; round++) {
    const server = await start({ dataDir });
    const { body } = await server.ask('GET', '/api/tasks');
    const there = new Set(body.tasks.map(({ id }: { id: string }) => id));
    expect(acknowledged.filter((id) => !there.has(id))).toEqual([]);
    expect(body.tasks.filter(isHalf)).toEqual([]);
    let isOver = false;
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let index = 0; !isOver; index++) {
        const id = `r${round}-w${writer}-${index}`;
        const answer = await server.ask('POST', '/api/tasks', { id, title: id }).catch(() => undefined);
        if (answer?.status === 201) acknowledged.push(id);
        else return;
        await server.ask('PATCH', `/api/tasks/${id}`, { status: 'review', priority: 'high' }).catch(() => undefined);
      }
    });
    const had = acknowledged.length;
    while (acknowledged.length < had + 50) await new Promise((resolve) => setTimeout(resolve, 5));
    await server.end('SIGKILL');
    isOver = true;
    await Promise.all(writers);
  }
  const last = await start({ dataDir });
  const { body } = await last.ask('GET', '/api/tasks');
  const there = new Set(body.tasks.map(({ id }: { id: string }) => id));
  expect(acknowledged.length).toBeGreaterThanOrEqual(KILLS * 50);
  expect(acknowledged.filter((id) => !there.has(id))).toEqual([]);
  expect(body.tasks.filter(isHalf)).toEqual([]);
});

it('runs in the background: started, found, stopped, found dead; a second one on its folder is refused', {
  timeout: 240_000,
}, async () => {
  const dataDir = temporaryDirectory();
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [
      '--conditions=source',
      MAIN,
      ...args,
      '--data-dir',
      dataDir,
      '--port',
      '0',
      '--tcp-port',
      '0',
    ]).then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      ({ code, stderr }) => ({ code, text: stderr }),
    );
  onTestFinished(async () => void (await run('stop')));
  expect(await run('status')).toMatchObject({ code: 3, text: expect.stringContaining('not running') });
  const started = await run('start');
  expect(started).toMatchObject({ code: 0, text: expect.stringMatching(/^Running as process \d+ on http/) });
  const [, pid, url] = started.text.match(/process (\d+) on (\S+);/)!;
  expect(await run('run')).toMatchObject({
    code: 1,
    text: expect.stringContaining('directory open. "status" says where'),
  });
  const headers = { 'x-user': 'ann', 'content-type': 'application/json' };
  await fetch(`${url}/api/tasks`, { method: 'POST', headers, body: '{"title":"Paint"}' });
  expect((await run('status')).text).toContain('with 1 tasks');
  expect((await run('stop')).text).toBe(`Process ${pid} has ended.\n`);
  process.kill(Number((await run('start')).text.match(/process (\d+)/)![1]), 'SIGKILL');
  // The dead one told where it was; that counts for nothing.
  expect((await run('status')).code).toBe(3);
  expect((await run('start')).code).toBe(0);
  expect((await run('status')).text).toContain('with 1 tasks');
});

it('says what was wrong with the way it was started, and what to do', { timeout: 120_000 }, async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  const wrong: [args: string[], code: number, words: string][] = [
    [['--prot', '1'], 2, "Unknown option '--prot'. --help lists the options."],
    [['--port', 'abc'], 2, '--port is a number from 0 to 65535, not "abc".'],
    [['--port', '99999'], 2, '--port is a number from 0 to 65535, not "99999".'],
    [['--port', String(port)], 1, `Port ${port} is taken, maybe by another task manager: --port says another one.`],
    [
      ['--tcp-port', String(port)],
      1,
      `Port ${port} is taken, maybe by another task manager: --tcp-port says another one.`,
    ],
    [['--level', join(file, 'level')], 1, 'The LevelDB store cannot be opened'],
  ];
  const run = promisify(execFile);
  for (const [args, code, words] of wrong) {
    const free = ['--port', '0', '--tcp-port', '0', '--data-dir', temporaryDirectory()];
    const running = run(process.execPath, ['--conditions=source', MAIN, ...free, ...args], { timeout: 20_000 });
    await expect(running).rejects.toMatchObject({ code, stderr: expect.stringContaining(`task-manager: ${words}`) });
  }
});

/** `npm run task-manager`: tasks with a live page. `-- start`, `-- status` and `-- stop` keep it in the background. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { isEventManagerError } from '@event-manager/core';
import { findRunning, logFile, startDaemon, stopDaemon, tellRunning } from './daemon.ts';
import { runTaskManager } from './run-task-manager.ts';

const USAGE = `npm run task-manager [-- run|start|status|stop] [options]

  run               serve until Ctrl-C (the default)
  start             the same in the background
  status            whether it runs, and where
  stop              end it in order

  --data-dir DIR    where the events are kept (.event-manager/task-manager)
  --port PORT       of the page and HTTP (3003); 0 takes a free one
  --tcp-port PORT   of commands, one to a line (3001)
  --admin NAMES     users who may everything, separated by commas
  --verbose         a line on the standard error for each event
  --level DIR       keeps a copy of all events in LevelDB
`;
const NOT_RUNNING = 3;
const WRONG_USE = 2;
const PORT_MAX = 65_535;

class WrongUse extends TypeError {}

const print = (line: string) => process.stdout.write(`${line}\n`);
const fail = (words: string, code = 1) => {
  process.stderr.write(`task-manager: ${words}\n`);
  process.exitCode = code;
};

function readArguments() {
  const options = {
    'data-dir': { type: 'string', default: '.event-manager/task-manager' },
    port: { type: 'string', default: '3003' },
    'tcp-port': { type: 'string', default: '3001' },
    admin: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
    level: { type: 'string' },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    // What Node says behind the first sentence is about arguments that begin with a dash, which there are none of here.
    throw new WrongUse(`${(error as Error).message.split('. ')[0]}. --help lists the options.`);
  }
}

function portOf(option: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= PORT_MAX) return port;
  throw new WrongUse(`--${option} is a number from 0 to ${PORT_MAX}, not "${text}".`);
}

async function run({ values }: ReturnType<typeof readArguments>): Promise<void> {
  const instance = randomUUID();
  const tasks = await runTaskManager({
    instance,
    dataDir: values['data-dir'],
    port: portOf('port', values.port),
    tcpPort: portOf('tcp-port', values['tcp-port']),
    logEvents: values.verbose,
    levelDir: values.level,
    administrators: values.admin.split(',').filter((name) => name !== ''),
    onFailure: (error) => process.stderr.write(`task-manager: ${error instanceof Error ? error.stack : error}\n`),
  });
  const { url, tcpPort } = tasks;
  tellRunning(values['data-dir'], { instance, url, tcpPort });
  print(`The page is on ${url}, commands on TCP port ${tcpPort}; ${tasks.tasks} tasks in ${values['data-dir']}.`);
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Whoever asks a second time does not want to wait.
      if (isStopping) process.exit(1);
      isStopping = true;
      tasks.close().catch((error: unknown) => fail(String(error)));
    });
  }
}

async function main(): Promise<void> {
  const given = readArguments();
  const { values, positionals } = given;
  const dataDir = values['data-dir'];
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  switch (positionals[0] ?? 'run') {
    case 'run':
      return run(given);
    case 'start': {
      const running =
        (await findRunning(dataDir)) ??
        (await startDaemon(
          dataDir,
          process.argv.slice(2).filter((each) => each !== 'start'),
        ));
      print(`Running as process ${running.pid} on ${running.url}; its log is ${logFile(dataDir)}.`);
      return;
    }
    case 'status': {
      const running = await findRunning(dataDir);
      if (running) print(`Running as process ${running.pid} on ${running.url} with ${running.tasks} tasks.`);
      else fail('not running', NOT_RUNNING);
      return;
    }
    case 'stop': {
      const stopped = await stopDaemon(dataDir);
      print(stopped ? `Process ${stopped.pid} has ended.` : 'None was running.');
      return;
    }
    default:
      fail(`there is no "${positionals[0]}"\n\n${USAGE}`, WRONG_USE);
  }
}

try {
  await main();
} catch (error) {
  const words = error instanceof Error ? error.message : String(error);
  const advice = isEventManagerError(error, 'store_locked') ? ' "status" says where it is, "stop" ends it.' : '';
  fail(`${words}${advice}`, error instanceof WrongUse ? WRONG_USE : 1);
  // What was opened before would keep the process alive.
  process.exit();
}

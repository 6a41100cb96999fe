import { readFileSync } from 'node:fs';
import { type Application, buildApplication, buildRouteMap, text_en } from '@stricli/core';
import type { CliContext } from './cli-context.ts';
import { lines } from './command-flags.ts';
import { completionRoute, proposeRoute } from './commands/completion/route.ts';
import { configRoute } from './commands/config/route.ts';
import { contextsRoute } from './commands/contexts/route.ts';
import { deadLettersRoute } from './commands/dead-letters/route.ts';
import { doctorRoute } from './commands/doctor/route.ts';
import { eventsRoute } from './commands/events/route.ts';
import { filtersRoute } from './commands/filters/route.ts';
import { journalRoute } from './commands/journal/route.ts';
import { projectionsRoute } from './commands/projections/route.ts';
import { publishRoute } from './commands/publish/route.ts';
import { replayRoute } from './commands/replay/route.ts';
import { runsRoute } from './commands/runs/route.ts';
import { serveRoute } from './commands/serve/route.ts';
import { storeRoute } from './commands/store/route.ts';
import { subscriptionsRoute } from './commands/subscriptions/route.ts';
import { tailRoute } from './commands/tail/route.ts';
import { topicsRoute } from './commands/topics/route.ts';
import { traceRoute } from './commands/trace/route.ts';
import { whyRoute } from './commands/why/route.ts';
import { CommandFailure, EXIT_CODES, endingOf } from './exit-codes.ts';
import { QUOTES_ADVICE } from './input/read-json-argument.ts';
import { failureJson, failureWords } from './output/failure-words.ts';

export interface ApplicationOptions {
  /** Errors are JSON too. */
  readonly isJson: boolean;
  /** Words of which one begins like JSON and is not: where a shell has split it. */
  readonly isJsonSplit?: boolean;
}

const MANIFEST = new URL('../package.json', import.meta.url);

/** A mistake in an argument is no place for a stack. */
const PLAINLY = { formatException: (error: unknown) => (error instanceof Error ? error.message : String(error)) };

const DESCRIPTION = lines(
  'A durable event bus: runs the service, publishes to it, watches it, and looks inside.',
  'Commands that talk to a service take --url, else EVENT_MANAGER_URL, else http://localhost:3004.',
  'Every command has --help with examples; docs/cli.md has all of them.',
);

/** The tree of commands. What a command does is loaded when it runs: the tree alone is needed to find it. */
export function application({ isJson, isJsonSplit = false }: ApplicationOptions): Application<CliContext> {
  const failure = isJson ? failureJson : failureWords;
  const advice = isJsonSplit ? `; ${QUOTES_ADVICE}` : '';
  const wrongUse = (words: string) => failure(new CommandFailure('wrongUse', `${words}${advice}; see --help`));
  const root = buildRouteMap<string, CliContext>({
    routes: {
      serve: serveRoute,
      publish: publishRoute,
      tail: tailRoute,
      why: whyRoute,
      topics: topicsRoute,
      subscriptions: subscriptionsRoute,
      contexts: contextsRoute,
      events: eventsRoute,
      filters: filtersRoute,
      trace: traceRoute,
      projections: projectionsRoute,
      deadLetters: deadLettersRoute,
      replay: replayRoute,
      runs: runsRoute,
      journal: journalRoute,
      store: storeRoute,
      config: configRoute,
      doctor: doctorRoute,
      completion: completionRoute,
      propose: proposeRoute,
    },
    docs: { brief: DESCRIPTION, hideRoute: { propose: true } },
  });
  return buildApplication(root, {
    name: 'event-manager',
    versionInfo: { getCurrentVersion: async () => JSON.parse(readFileSync(MANIFEST, 'utf8')).version },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { onlyRequiredInUsageLine: true },
    determineExitCode: (error) => EXIT_CODES[endingOf(error)].code,
    localization: {
      text: {
        ...text_en,
        exceptionWhileRunningCommand: failure,
        exceptionWhileParsingArguments: (error) =>
          wrongUse(text_en.exceptionWhileParsingArguments.call(PLAINLY, error, false)),
        noCommandRegisteredForInput: (found) => wrongUse(text_en.noCommandRegisteredForInput(found)),
      },
    },
  });
}

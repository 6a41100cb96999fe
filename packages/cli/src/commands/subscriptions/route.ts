import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import {
  argument,
  optionalArgument,
  SERVICE_FLAGS,
  type ServiceFlags,
  subscriptionArgument,
  text,
  wholeNumber,
} from '../../command-flags.ts';
import { proposeSubscriptions } from '../../service/proposals.ts';
import { ack, extend, nack } from './answer-routes.ts';
import { reset } from './reset-route.ts';

export interface CreateSubscriptionFlags extends ServiceFlags {
  readonly topic?: string;
  readonly endpoint?: string;
  readonly fallback?: string;
  readonly realtime?: boolean;
  readonly name?: string;
  readonly filter?: string;
  readonly options?: string;
  readonly secretFile?: string;
}

export interface PullFlags extends ServiceFlags {
  readonly max?: number;
  readonly wait?: number;
  readonly ack?: boolean;
}

export interface KeysFlags extends ServiceFlags {
  readonly state?: 'blocked' | 'parked';
}

export interface ReleaseFlags extends ServiceFlags {
  readonly all?: boolean;
}

const PULL_MAX = 1_000;
const WAIT_MAX = 30;
const JSON_FORMS = 'the text, @FILE, or - for standard input';
const byId = {
  flags: SERVICE_FLAGS,
  positional: {
    kind: 'tuple',
    parameters: [{ ...subscriptionArgument, proposeCompletions: proposeSubscriptions }],
  },
} as const;

const list: Command<CliContext> = buildCommand({
  loader: async () => (await import('./list.ts')).listSubscriptions,
  parameters: { flags: SERVICE_FLAGS },
  docs: { brief: 'List subscriptions' },
});

const get: Command<CliContext> = buildCommand({
  loader: async () => (await import('./subscription.ts')).getSubscription,
  parameters: byId,
  docs: { brief: 'Print a subscription and how far it is' },
});

const create: Command<CliContext> = buildCommand({
  loader: async () => (await import('./create.ts')).createSubscription,
  parameters: {
    flags: {
      topic: text('PATTERN', 'Topic pattern'),
      endpoint: text('URL', 'URL of the webhook, or of a WebSocket (ws, wss) that the service connects to'),
      fallback: text('URL', 'Webhook that serves while nobody is connected'),
      realtime: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Sockets that attach to its name come first, the webhook serves while there is none',
      },
      name: text('NAME', 'Creating it again by the same name is no second one'),
      filter: text('JSON', `What else an event must be: ${JSON_FORMS}`),
      options: text('JSON', `Retries, batches, limits: ${JSON_FORMS}`),
      secretFile: text('FILE', 'Holds the secret that signs deliveries (whsec_…)'),
      ...SERVICE_FLAGS,
    },
    positional: {
      kind: 'tuple',
      parameters: [optionalArgument('request', `The whole request as JSON: ${JSON_FORMS}`)],
    },
  },
  docs: {
    brief: 'Have events sent to a webhook or a WebSocket, or kept to be pulled',
    customUsage: [
      { input: `--name billing --topic 'order.*' --endpoint https://billing.example/hook`, brief: 'by flags' },
      {
        input: `--topic 'alarm.*' --endpoint wss://desk.example/events --fallback https://desk.example/hook`,
        brief: 'in real time, and by webhook while the connection is lost',
      },
      { input: `--name nightly --topic 'order.*'`, brief: 'without an endpoint its deliveries are pulled' },
      { input: '@subscription.json', brief: 'by a file; flags beat what it says' },
    ],
  },
});

const update: Command<CliContext> = buildCommand({
  loader: async () => (await import('./subscription.ts')).updateSubscription,
  parameters: {
    flags: SERVICE_FLAGS,
    positional: {
      kind: 'tuple',
      parameters: [byId.positional.parameters[0], argument('changes', `Fields that change, as JSON: ${JSON_FORMS}`)],
    },
  },
  docs: {
    brief: 'Change a subscription; what it is owed stays owed',
    customUsage: [`0198c0de-0000-7000-8000-00000000000a '{"options":{"maxConcurrency":4}}'`],
  },
});

const pause: Command<CliContext> = buildCommand({
  loader: async () => (await import('./subscription.ts')).pauseSubscription,
  parameters: byId,
  docs: { brief: 'Deliver nothing for now; what it is owed waits' },
});

const resume: Command<CliContext> = buildCommand({
  loader: async () => (await import('./subscription.ts')).resumeSubscription,
  parameters: byId,
  docs: { brief: 'Deliver again' },
});

const keys: Command<CliContext> = buildCommand({
  loader: async () => (await import('./keys.ts')).listKeys,
  parameters: {
    flags: {
      state: { kind: 'enum', values: ['blocked', 'parked'], optional: true, brief: 'Those that are so, and no others' },
      ...SERVICE_FLAGS,
    },
    positional: byId.positional,
  },
  docs: { brief: 'List the keys of an ordered subscription whose later events wait' },
});

const release: Command<CliContext> = buildCommand({
  loader: async () => (await import('./keys.ts')).releaseKey,
  parameters: {
    flags: {
      all: { kind: 'boolean', optional: true, withNegated: false, brief: 'All keys that are parked' },
      ...SERVICE_FLAGS,
    },
    positional: {
      kind: 'tuple',
      parameters: [byId.positional.parameters[0], optionalArgument('key', 'A key that is parked')],
    },
  },
  docs: {
    brief: 'Let the events behind the dead letter of a parked key go on',
    customUsage: [
      { input: 'billing customer-7', brief: 'those of one key' },
      { input: 'billing --all', brief: 'those of every parked key' },
    ],
  },
});

const pull: Command<CliContext> = buildCommand({
  loader: async () => (await import('./pull.ts')).pull,
  parameters: {
    flags: {
      max: wholeNumber('NUMBER', `Deliveries at the most, ${PULL_MAX} (default 10)`, 1, PULL_MAX),
      wait: wholeNumber('SECONDS', `Seconds to wait for the first one, ${WAIT_MAX} at most (default 0)`, 0, WAIT_MAX),
      ack: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Acknowledge them once they are printed; else ack does, or they come again after their time',
      },
      ...SERVICE_FLAGS,
    },
    positional: byId.positional,
  },
  docs: {
    brief: 'Ask for the deliveries of a subscription that has no endpoint',
    customUsage: [
      { input: 'nightly --max 100 --ack --json', brief: 'take a hundred, one per line' },
      { input: 'nightly --wait 20', brief: 'look at what comes within twenty seconds' },
    ],
  },
});

const remove: Command<CliContext> = buildCommand({
  loader: async () => (await import('./subscription.ts')).deleteSubscription,
  parameters: byId,
  docs: { brief: 'End a subscription and what it is owed; its dead letters stay' },
});

const test: Command<CliContext> = buildCommand({
  loader: async () => (await import('./test.ts')).testSubscription,
  parameters: byId,
  docs: { brief: 'Send a test event to the webhook, as real ones are sent; exits with 1 if it is not taken' },
});

export const subscriptionsRoute: RouteMap<CliContext> = buildRouteMap({
  routes: {
    list,
    get,
    create,
    update,
    pause,
    resume,
    reset,
    pull,
    ack,
    nack,
    extend,
    keys,
    release,
    delete: remove,
    test,
  },
  docs: { brief: 'Look at subscriptions, make and change them' },
});

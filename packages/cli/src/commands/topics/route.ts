import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { argument, SERVICE_FLAGS, type ServiceFlags, text } from '../../command-flags.ts';
import { proposeTopics } from '../../service/proposals.ts';

export interface SchemaFlags extends ServiceFlags {
  readonly compatibility?: 'backward' | 'none';
  readonly description?: string;
}

export interface CreateTopicFlags extends SchemaFlags {
  readonly schema?: string;
}

const topic = { ...argument('topic', 'The topic'), proposeCompletions: proposeTopics };
const schemaFlags = {
  description: text('TEXT', 'What the topic is for'),
  compatibility: {
    kind: 'enum',
    values: ['backward', 'none'],
    optional: true,
    brief: 'Whether stored events have to fit a new version (default backward)',
  },
  ...SERVICE_FLAGS,
} as const;

const list: Command<CliContext> = buildCommand({
  loader: async () => (await import('./topics.ts')).listTopics,
  parameters: { flags: SERVICE_FLAGS },
  docs: { brief: 'List declared topics' },
});

const get: Command<CliContext> = buildCommand({
  loader: async () => (await import('./topics.ts')).getTopic,
  parameters: { flags: SERVICE_FLAGS, positional: { kind: 'tuple', parameters: [topic] } },
  docs: { brief: 'Print a declared topic with the versions of its schema', customUsage: ['order.created'] },
});

const create: Command<CliContext> = buildCommand({
  loader: async () => (await import('./topics.ts')).createTopic,
  parameters: {
    flags: {
      schema: text('JSON', 'JSON Schema 2020-12 of the payload: the text, @FILE, or - for standard input'),
      ...schemaFlags,
    },
    positional: { kind: 'tuple', parameters: [argument('topic', 'The topic')] },
  },
  docs: {
    brief: 'Declare a topic, with a schema that payloads have to fit',
    customUsage: [
      { input: "order.created --description 'An order was placed'", brief: 'without a schema' },
      { input: 'order.created --schema @order.schema.json', brief: 'with one' },
    ],
  },
});

const addSchema: Command<CliContext> = buildCommand({
  loader: async () => (await import('./topics.ts')).addTopicSchema,
  parameters: {
    flags: schemaFlags,
    positional: {
      kind: 'tuple',
      parameters: [topic, argument('schema', 'JSON Schema 2020-12: the text, @FILE, or - for standard input')],
    },
  },
  docs: {
    brief: 'Add a version to the schema of a topic; stored events have to fit it, unless --compatibility none',
    customUsage: ['order.created @order.schema.json'],
  },
});

const remove: Command<CliContext> = buildCommand({
  loader: async () => (await import('./topics.ts')).removeTopic,
  parameters: { flags: SERVICE_FLAGS, positional: { kind: 'tuple', parameters: [topic] } },
  docs: { brief: 'Forget the declaration of a topic; what is stored stays' },
});

const rejections: Command<CliContext> = buildCommand({
  loader: async () => (await import('./rejections.ts')).listRejections,
  parameters: { flags: SERVICE_FLAGS },
  docs: { brief: 'List the last events that were refused for what their topic asks, and why' },
});

export const topicsRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { list, get, create, addSchema, remove, rejections },
  docs: { brief: 'Declare topics and their schemas' },
});

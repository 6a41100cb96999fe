import type { TopicInfo, TopicOptions } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { readObjectArgument } from '../../input/read-json-argument.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';
import type { CreateTopicFlags, SchemaFlags } from './route.ts';

export async function listTopics(this: CliContext, flags: ServiceFlags): Promise<void> {
  await using client = await connect(this, flags);
  const topics = await client.listTopics();
  const output = new Output(this, flags);
  await output.result(topics, () =>
    textTable(
      ['TOPIC', 'SCHEMA', 'COMPATIBILITY', 'DESCRIPTION'],
      topics.map(({ topic, versions, compatibility, description = '' }) => {
        const version = versions.at(-1)?.version;
        return [topic, version === undefined ? 'none' : `version ${version}`, compatibility, description];
      }),
    ),
  );
  if (topics.length === 0) output.note('no topic is declared; none has to be');
}

export async function getTopic(this: CliContext, flags: ServiceFlags, topic: string): Promise<void> {
  await using client = await connect(this, flags);
  await print(this, flags, await client.getTopic(topic));
}

export async function createTopic(this: CliContext, flags: CreateTopicFlags, topic: string): Promise<void> {
  const schema = flags.schema === undefined ? undefined : await readObjectArgument(this, 'the schema', flags.schema);
  await using client = await connect(this, flags);
  await print(this, flags, await client.createTopic(topic, schema, optionsOf(flags)));
}

export async function addTopicSchema(
  this: CliContext,
  flags: SchemaFlags,
  topic: string,
  given: string,
): Promise<void> {
  const schema = await readObjectArgument(this, 'the schema', given);
  await using client = await connect(this, flags);
  await print(this, flags, await client.addTopicSchema(topic, schema, optionsOf(flags)));
}

export async function removeTopic(this: CliContext, flags: ServiceFlags, topic: string): Promise<void> {
  await using client = await connect(this, flags);
  await client.removeTopic(topic);
  await new Output(this, flags).result({ topic, removed: true }, () => [`removed ${topic}`]);
}

function optionsOf({ description, compatibility }: SchemaFlags): TopicOptions {
  return {
    ...(description === undefined ? {} : { description }),
    ...(compatibility === undefined ? {} : { compatibility }),
  };
}

async function print(context: CliContext, flags: ServiceFlags, topic: TopicInfo): Promise<void> {
  await new Output(context, flags).whole(topic);
}

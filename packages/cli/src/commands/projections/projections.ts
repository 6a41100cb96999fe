import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { Output } from '../../output/output.ts';
import { plain } from '../../output/plain.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';

export async function listProjections(this: CliContext, flags: ServiceFlags): Promise<void> {
  await using client = await connect(this, flags);
  const projections = await client.listProjections();
  const output = new Output(this, flags);
  await output.result(projections, () =>
    textTable(
      ['NAME', 'VERSION', 'TOPIC', 'FOLDED', 'STATES', 'GAPS', 'KEPT'],
      projections.map(({ name, version, topic, folded, states, gaps, keptAt = '' }) => [
        ...[name, String(version), topic, String(folded), String(states), String(gaps.length), keptAt],
      ]),
    ),
  );
  if (projections.length === 0) output.note('no projection is kept');
}

export async function getProjection(this: CliContext, flags: ServiceFlags, name: string, key?: string): Promise<void> {
  await using client = await connect(this, flags);
  const { state } = await client.getProjectionState(name, key);
  await new Output(this, flags).whole(state);
}

export async function listKeys(this: CliContext, flags: ServiceFlags, name: string): Promise<void> {
  await using client = await connect(this, flags);
  const keys = await client.listProjectionKeys(name);
  await new Output(this, flags).result(keys, () => keys.map(plain));
}

export async function removeProjection(this: CliContext, flags: ServiceFlags, name: string): Promise<void> {
  await using client = await connect(this, flags);
  await client.removeProjection(name);
  await new Output(this, flags).result({ name, removed: true }, () => [`removed ${name}`]);
}

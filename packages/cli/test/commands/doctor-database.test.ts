import { createTestDatabase, skipWithout } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { run } from '../support/run.ts';

interface Finding {
  readonly check: string;
  readonly status: string;
  readonly detail: string;
}

async function findings(databaseUrl: string, more: Readonly<Record<string, string>> = {}): Promise<Finding[]> {
  const environment = { EVENT_MANAGER_PORT: '0', EVENT_MANAGER_DATABASE_URL: databaseUrl, ...more };
  const { out } = await run(['doctor', '--json'], { environment });
  return (JSON.parse(out) as { findings: Finding[] }).findings.filter(({ check }) =>
    ['database', 'data directory'].includes(check),
  );
}

it('looks at the database where there is one, and says where and why it could not be used', async (context) => {
  await skipWithout('postgres', context);
  await using database = await createTestDatabase();
  expect(await findings(database.url)).toMatchObject([
    {
      check: 'database',
      status: 'ok',
      detail: expect.stringMatching(/^database test_\S+ on \S+: PostgreSQL \d+.*will be made/),
    },
    { check: 'database', status: 'ok', detail: expect.stringMatching(/^\d+ of \d+ connections are used/) },
  ]);
  const tight = await findings(database.url, { EVENT_MANAGER_DATABASE_MAX_CONNECTIONS: '10000' });
  expect(tight[1]).toMatchObject({ status: 'warning' });
  const wrong = new URL(database.url);
  wrong.password = 'hidden-word';
  const refused = await findings(wrong.href);
  expect(refused).toMatchObject([
    { status: 'failed', detail: expect.stringMatching(/refused the user or the password/) },
  ]);
  expect(JSON.stringify(refused)).not.toContain('hidden-word');
});

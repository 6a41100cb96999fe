import { EventManager, memory } from '@event-manager/core';
import { describe, expect, it } from 'vitest';

const COMMIT_MS = 5;

/** A state store whose commits take longer than `settled` waits between two looks. */
function slowToCommit() {
  const adapter = memory();
  const { state } = adapter;
  const commit = state.commit.bind(state);
  let commits = 0;
  state.commit = async (changes) => {
    commits++;
    await new Promise((resolve) => setTimeout(resolve, COMMIT_MS));
    return commit(changes);
  };
  return { adapter, commits: () => commits };
}

describe('settled', () => {
  it('resolves however long commits take: looking does not ask for one more each time', async () => {
    const { adapter, commits } = slowToCommit();
    const bus = new EventManager({ adapter });
    await bus.subscribe({ topic: '#', name: 'named', handler: () => {} });
    await bus.publish({ type: 'test.settled', source: 'test' });
    const before = commits();
    await bus.settled();
    // One may be under way already; what was settled meanwhile needs one more.
    expect(commits() - before).toBeLessThanOrEqual(2);
    await bus.close();
  });
});

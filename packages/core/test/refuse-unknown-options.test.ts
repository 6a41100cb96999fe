import { EventManager, type EventManagerOptions, memory } from '@event-manager/core';
import { describe, expect, it } from 'vitest';

/** As JavaScript hands them in, where no compiler looks. */
const unchecked = (options: object) => options as EventManagerOptions;

describe('options by names that nobody reads', () => {
  it('are refused: a misspelt adapter would be a bus that keeps nothing and says nothing', () => {
    expect(() => new EventManager(unchecked({ adaptor: memory() }))).toThrow(
      /^EventManager has no option "adaptor"; it has adapter, principal, .*, owner, runtime\.$/,
    );
    expect(() => new EventManager(unchecked({ limits: { eventByteMax: 1 } }))).toThrow(
      /limits has no option "eventByteMax"/,
    );
    expect(() => memory({ historySize: 10 } as object)).toThrow(/memory has no option "historySize"/);
  });

  it('are refused where a limit is none: nothing is more than NaN', () => {
    for (const owedMax of [Number.NaN, -1, 'many']) {
      expect(() => new EventManager(unchecked({ limits: { owedMax } }))).toThrow(/^limits.owedMax is a number from 0/);
    }
  });

  it('may be there without a value, as a spread of optional ones leaves them', () => {
    expect(() => new EventManager(unchecked({ adapter: undefined, adaptor: undefined }))).not.toThrow();
  });
});

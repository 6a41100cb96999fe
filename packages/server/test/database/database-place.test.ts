import { expect, it } from 'vitest';
import { databasePlace, isDatabaseAddress } from '../../src/database/database-place.ts';

it('says where a database is, and nothing else of its address', () => {
  const places = {
    'postgresql://user:hidden-word@db.internal:6543/events?sslmode=verify-full': 'database events on db.internal:6543',
    'postgres://user:hidden-word@db.internal/my%20events': 'database my events on db.internal:5432',
    'postgres://user:hidden-word@one:5432,two:5433/events': 'database events on one:5432 or two:5433',
    'postgres://user:hidden%40word@[::1]:5432/events': 'database events on [::1]:5432',
    'postgresql://user@db.internal': 'the default database on db.internal:5432',
    'postgresql:///events?host=/var/run/postgresql': 'database events on /var/run/postgresql:5432',
  };
  for (const [address, place] of Object.entries(places)) {
    expect(isDatabaseAddress(address), address).toBe(true);
    expect(databasePlace(address)).toBe(place);
  }
});

it('knows what is no address: a special character of a password stands for itself only as %xx', () => {
  const wrong = ['mysql://u@h/d', 'events', 'postgres://u:a@b@h/d', 'postgres://u:a/b@h/d', 'postgres://u:a#b@h/d'];
  for (const address of [...wrong, 'postgres://u@h:port/d', ''])
    expect(isDatabaseAddress(address), address).toBe(false);
});

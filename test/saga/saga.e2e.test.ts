import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SeededChance } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { guide, namedBlocks, namelessLanguages, regionOf } from '../guides/regions.ts';
import { ShopProcess } from './shop-process.ts';

const MAIN = join(import.meta.dirname, '../../examples/saga/main.ts');
const run = promisify(execFile);

/** Each effect of the four orders, however often the shop died on the way. */
const EFFECTS = [
  ...['order-1/reserve-stock', 'order-1/charge-card', 'order-1/book-carrier'],
  ...['order-2/reserve-stock', 'order-2/reserve-stock/undone'],
  ...['order-3/reserve-stock', 'order-3/charge-card'],
  ...['order-3/book-carrier/undone', 'order-3/charge-card/undone', 'order-3/reserve-stock/undone'],
  ...['order-4/reserve-stock', 'order-4/charge-card', 'order-4/book-carrier'],
];
/** `SAGA_KILLS=100`: so many deaths at any moment, and one behind each of them. */
const KILLS = Number(process.env['SAGA_KILLS'] ?? 3);
const DEADLY =
  process.env['SAGA_KILLS'] === undefined
    ? ['order-2/reserve-stock/undone', 'order-3/charge-card/undone', 'order-4/book-carrier']
    : EFFECTS;
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 32);
/** From its first words on: a shop that has not begun has nothing to lose. */
const LIFE_MS_MAX = 600;

/** Whether a step was asked for again depends on what was durable when the shop died. */
const withoutRepeats = (text: string) =>
  text
    .split('\n')
    .filter((line) => !line.includes('was done before'))
    .join('\n');

const TRACE = `what happened to order-3, by its correlation id:
  saga.orders: saga.started
  saga.orders: step.completed reserve-stock
  saga.orders: step.completed charge-card
  saga.orders.dead: step.completed charge-card
  saga.orders.failures: saga.compensation.required
  saga.orders: step.compensated book-carrier
  saga.orders: step.compensated charge-card
  saga.orders: step.compensated reserve-stock
  saga.orders: saga.compensated
`;

it('prints what its guide shows', { timeout: 60_000 }, async () => {
  const text = guide('sagas.md');
  const blocks = namedBlocks(text);
  for (const { file, region, text: shown } of blocks.filter(({ language }) => language === 'ts')) {
    expect([file, shown]).toEqual([file, regionOf(file, region)]);
  }
  const { stdout } = await run(process.execPath, ['--conditions=source', MAIN]);
  const printed = blocks.filter(({ language }) => language === 'text').map((block) => block.text);
  expect(printed).toHaveLength(1);
  expect(withoutRepeats(stdout)).toBe(withoutRepeats(printed[0]!));
  expect(new Set(namelessLanguages(text))).toEqual(new Set(['sh']));
});

it.each(DEADLY)('goes on after a death right behind %s, and does nothing twice', { timeout: 60_000 }, async (key) => {
  const directory = temporaryDirectory();
  const first = new ShopProcess(directory, key);
  expect(await first.ended).toBe('SIGKILL');
  expect(first.done).toContain(key);
  const second = new ShopProcess(directory);
  expect(await second.ended).toBe(0);
  expect(second.done).toEqual(EFFECTS.toSorted());
  expect(second.output.endsWith(TRACE)).toBe(true);
});

it(`goes on after ${KILLS} deaths at any moment`, { timeout: 60_000 + KILLS * 15_000 }, async () => {
  const chance = new SeededChance(SEED);
  let kills = 0;
  while (kills < KILLS) {
    const directory = temporaryDirectory();
    for (let isOver = false; !isOver; ) {
      const shop = new ShopProcess(directory);
      await shop.begun;
      const killing = wait(chance.fraction() * LIFE_MS_MAX, 'kill');
      const mayKill = kills < KILLS;
      if (mayKill && (await Promise.race([killing, shop.ended])) === 'kill') shop.kill();
      const end = await shop.ended;
      if (end === 'SIGKILL') kills++;
      else expect(end, `SEED=${SEED}: ${shop.output}`).toBe(0);
      isOver = end === 0;
      if (isOver) {
        expect(shop.done, `SEED=${SEED}`).toEqual(EFFECTS.toSorted());
        expect(shop.output.endsWith(TRACE), `SEED=${SEED}: ${shop.output}`).toBe(true);
      }
    }
  }
});

import { SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { exchangeConformance } from '@event-manager/testing/conformance';

for (const [name, trouble] of [
  ['where nothing is lost', { letterLossShare: 0, letterTwiceShare: 0 }],
  ['where letters are lost, late and doubled', { letterLossShare: 0.2, letterTwiceShare: 0.2, letterStallShare: 0.05 }],
] as const) {
  exchangeConformance({
    name: `simulated, ${name}`,
    async open() {
      const time = new VirtualTime();
      const shared = new SimulatedShared({ time, chance: new SeededChance(3), stallShare: 0, ...trouble });
      const handles = [shared.connect(), shared.connect(), shared.connect()] as const;
      for (const handle of handles) await time.run(handle.open());
      return {
        exchanges: [handles[0].exchange, handles[1].exchange, handles[2].exchange],
        moment: () => time.advance(10),
        close: async () => {
          for (const handle of handles) await time.run(handle.close());
        },
      };
    },
  });
}

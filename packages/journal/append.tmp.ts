import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
const dir = mkdtempSync('/work/tmp-append-');
const m = new EventManager({ adapter: journal({ directory: dir }) });
await m.getHealth();
const payload = { text: 'x'.repeat(330), a: 1, b: [1,2,3] };
const ids = Array.from({length: 600_000}, () => randomUUID());
let k = 0;
for (let round = 0; round < 4; round++) {
  const t = performance.now(); const c = process.cpuUsage(); const th = process.threadCpuUsage();
  const N = 150_000; let done = 0;
  await Promise.all(Array.from({length: 512}, async () => { while (done < N) { done++; await m.publish({ id: ids[k++], type: 'order.created', source: 'bench', topic: 'order/created', payload, correlationId: 'c'+(done%1000) }); } }));
  const s = (performance.now() - t) / 1000; const d = process.cpuUsage(c); const e = process.threadCpuUsage(th);
  console.log(Math.round(N / s), '/s  cpu us/event', ((d.user + d.system)/N).toFixed(2), 'main thread', ((e.user+e.system)/N).toFixed(2));
}
await m.close(); rmSync(dir, { recursive: true });

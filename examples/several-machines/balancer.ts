// Stands before several instances of the service, to try them out: `balancer.ts PORT INSTANCE-PORT…`. In production this is
// what your platform has: HAProxy, nginx, a Service of Kubernetes, a load balancer of a cloud.
// #region balancer
import { connect, createServer, type Socket } from 'node:net';

const [port, ...instances] = process.argv.slice(2).map(Number);
let ready = instances;
let next = 0;

/** Whoever does not answer, or answers that it is not ready, gets no new connections. */
async function look(): Promise<void> {
  const answers = instances.map((instance) =>
    fetch(`http://127.0.0.1:${instance}/readyz`, { signal: AbortSignal.timeout(1_000) }).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  const areReady = await Promise.all(answers);
  const found = instances.filter((_, at) => areReady[at]);
  // When nobody is ready, an answer that says why is better than a closed door.
  ready = found.length > 0 ? found : instances;
}

/** To the next one, and to another when that is not there. */
function hand(client: Socket, tries: number): void {
  if (tries === 0) return void client.destroy();
  const server = connect(ready[next++ % ready.length]!, '127.0.0.1');
  const another = () => hand(client, tries - 1);
  server.once('error', another).once('connect', () => {
    server.off('error', another);
    client.on('close', () => server.destroy());
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.pipe(server).pipe(client);
  });
}

const balancer = createServer((client) =>
  hand(
    client.on('error', () => {}),
    instances.length,
  ),
);
await look();
setInterval(look, 1_000);
balancer.listen(port, '127.0.0.1', () => console.log(`balances http://127.0.0.1:${port} over ${instances.join(', ')}`));
// #endregion

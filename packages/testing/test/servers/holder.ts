// Starts servers, says which, and waits to be killed.
import { startPostgres, startRedis } from '@event-manager/testing/servers';

const servers = await Promise.all([startPostgres(), startRedis()]);
const held = { urls: servers.map(({ url }) => url), folders: servers.map(({ folder }) => folder) };
process.stdout.write(`${JSON.stringify(held)}\n`);
setInterval(() => {}, 2 ** 30);

import type { Server } from 'node:http';

/** How many there are now. Node tells it only through a callback, and a scrape should not wait. */
export interface ConnectionCount {
  open: number;
}

export function countConnections(server: Server, count: ConnectionCount): void {
  server.on('connection', (socket) => {
    count.open++;
    socket.once('close', () => count.open--);
  });
}

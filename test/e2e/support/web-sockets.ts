// A program: `web-sockets.ts URL COUNT [FRAME…]` opens so many WebSockets, sends each frame on each of them, and holds them.
// It prints a line when all are open and got an answer to every frame, and one whenever one of them ends.
import { once } from 'node:events';
import { WebSocket } from 'ws';

const [url, count, ...frames] = process.argv.slice(2);
const AT_ONCE = 100;

async function open(): Promise<void> {
  const socket = new WebSocket(`${url!.replace('http:', 'ws:')}/ws`);
  socket.on('close', (code) => say({ dropped: code }));
  await once(socket, 'message');
  for (const frame of frames) {
    socket.send(frame);
    await once(socket, 'message');
  }
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

for (let left = Number(count); left > 0; left -= AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, left) }, open));
}
say({ open: Number(count) });

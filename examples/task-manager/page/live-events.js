/** How long the first wait for a new connection is; each one doubles it, half of it by chance, so that pages do not come all at once. */
const WAIT_MS = 200;
const WAIT_MAX_MS = 5_000;
/** The server pings; a page cannot see that, and asks itself. */
const ASK_MS = 20_000;

/**
 * Follows the events of a server from a cursor on, and comes back with the last one that it saw when the connection is lost:
 * nothing is missed, whatever happened meanwhile. What cannot be had that way (`onMissed`) is for the page to load anew.
 *
 * @param {{ url: string, cursor: string, client: string, eventTypes: string[], onEvent: (event: object) => void,
 *   onState: (state: 'live' | 'waiting') => void, onMissed: (why: string) => void }} options
 * @returns {() => void} ends it
 */
export function followEvents({ url, cursor, client, eventTypes, onEvent, onState, onMissed }) {
  let last = cursor;
  let waitMs = WAIT_MS;
  let timer = 0;
  let asking = 0;
  let socket;
  let isOver = false;

  function connect() {
    const address = new URL(url);
    address.searchParams.set('cursor', last);
    address.searchParams.set('client', client);
    address.searchParams.set('eventTypes', eventTypes.join(','));
    socket = new WebSocket(address, 'event-manager.page.v1');
    socket.onmessage = ({ data }) => take(JSON.parse(data));
    socket.onclose = () => {
      clearInterval(asking);
      if (isOver) return;
      onState('waiting');
      timer = setTimeout(connect, waitMs / 2 + Math.random() * (waitMs / 2));
      waitMs = Math.min(waitMs * 2, WAIT_MAX_MS);
    };
    asking = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('{"type":"ping"}'), ASK_MS);
  }

  function take(frame) {
    if (frame.type === 'hello') {
      waitMs = WAIT_MS;
      onState('live');
    }
    if (frame.type === 'event') onEvent(frame.event);
    if (frame.type === 'gap') onMissed(`the log is without a part: ${frame.cause}`);
    if (frame.type === 'shed') onMissed('too much happened at once');
    if (frame.type === 'error' && frame.error.code === 'conversion_failed') onMissed('an event could not be read');
    if (frame.type === 'error' && frame.error.code === 'invalid_cursor') onMissed('nobody knows where this page was');
    if (frame.cursor !== undefined && frame.type !== 'hello') last = frame.cursor;
  }

  connect();
  return () => {
    isOver = true;
    clearTimeout(timer);
    clearInterval(asking);
    socket.close(1000);
  };
}

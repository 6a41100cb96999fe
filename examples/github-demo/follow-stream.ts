/** One server-sent event: its cursor, its kind and its data. */
export interface StreamedFrame {
  readonly id: string;
  readonly kind: string;
  readonly data: string;
}

export interface FollowOptions {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly onFrame: (frame: StreamedFrame) => void;
  /** Called once, when the stream is open for the first time: what is published from now on will come. */
  readonly onOpen: () => void;
}

const RETRY_MS = 100;

/** Follows a stream until it is aborted. When the connection breaks it continues behind the last id it saw. */
export async function followStream({ url, signal, onFrame, onOpen }: FollowOptions): Promise<void> {
  let lastEventId = '';
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = lastEventId === '' ? {} : { 'last-event-id': lastEventId };
      const response = await fetch(url, { headers, signal });
      if (response.body === null || !response.ok) continue;
      for await (const block of blocks(response.body)) {
        const { id, kind, data } = parseBlock(block);
        if (lastEventId === '' && id !== undefined) onOpen();
        lastEventId = id ?? lastEventId;
        if (data !== undefined) onFrame({ id: lastEventId, kind, data });
      }
    } catch {
      // The service went away; it is asked again until somebody gives up.
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function* blocks(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    rest = parts.pop()!;
    yield* parts;
  }
}

function parseBlock(block: string): { id?: string; kind: string; data?: string } {
  const fields = new Map(
    block.split('\n').map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)] as const;
    }),
  );
  const id = fields.get('id');
  const data = fields.get('data');
  return {
    ...(id === undefined ? {} : { id }),
    kind: fields.get('event') ?? 'message',
    ...(data === undefined ? {} : { data }),
  };
}

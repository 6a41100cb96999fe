import { Agent, request } from 'node:http';

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** One request after the other over one connection that is kept. A stream is left as soon as it has begun. */
export class FuzzClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;
  count = 0;

  constructor(url: string) {
    this.#url = url;
  }

  send({ method, path, headers = {}, body }: Sent): Promise<Answered> {
    this.count++;
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const sent = request(`${this.#url}${path}`, { method, agent: this.#agent, headers: { ...headers, ...length } });
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        const done = () =>
          resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() });
        if (response.headers['content-type']?.startsWith('text/event-stream')) {
          done();
          sent.destroy();
          return;
        }
        response
          .on('data', (chunk: Buffer) => chunks.push(chunk))
          .on('end', done)
          .on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

import { type ClientRequest, get } from 'node:http';

/** Reads server-sent events as they arrive; `onData` gets the data of each. Resolves when the stream has begun. */
export function readSse(url: string, onData: (data: string) => void): Promise<ClientRequest> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { accept: 'text/event-stream' } }, (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`The stream was refused with ${response.statusCode}.`));
        return;
      }
      response.setEncoding('utf8');
      let rest = '';
      let begun = false;
      response.on('data', (chunk: string) => {
        if (!begun) {
          begun = true;
          // The server sends where the stream stands at once: from here on nothing is missed.
          resolve(request);
        }
        const lines = (rest + chunk).split('\n');
        rest = lines.pop()!;
        for (const line of lines) if (line.startsWith('data: ')) onData(line.slice(6));
      });
    });
    request.on('error', reject);
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any;
}

/** One request, `value` as JSON when there is one; the answer is parsed when it is JSON. */
export async function call(method: 'GET' | 'POST' | 'DELETE', url: string, value?: unknown): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const init = value === undefined ? { method } : { method, headers, body: JSON.stringify(value) };
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** A server of a test that could not be started, reached or stopped. What it wrote last is part of the text. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}

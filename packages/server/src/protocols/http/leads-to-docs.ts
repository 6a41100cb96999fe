import type { FastifyRequest } from 'fastify';

/** A person who opens the service in a browser wants to see something; a program that asks for nothing is told so. */
export function leadsToDocs({ method, url, headers }: FastifyRequest): boolean {
  const isRoot = url === '/' || url.startsWith('/?');
  return (method === 'GET' || method === 'HEAD') && isRoot && headers.accept?.includes('text/html') === true;
}

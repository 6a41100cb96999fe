import type { ErrorCode } from '@event-manager/core';
import Type, { type TSchema } from 'typebox';
import { PROBLEM_TYPE } from '../problem.ts';
import { HTTP_STATUS } from '../status.ts';
import { component } from './component.ts';
import type { RouteAnswer, RouteDocument } from './route-document.ts';

/** What may be wrong with a request whatever it asks for, and with the service. */
const ANYWHERE: readonly ErrorCode[] = ['invalid_request', 'overloaded', 'not_ready', 'internal'];
const RETRY_AFTER = Type.Integer({ minimum: 1, description: 'Seconds to wait before trying again.' });

/** A route's document in the words of @fastify/swagger. */
export function documentRoute(document: RouteDocument): object {
  const { operationId, tag, summary, description, path, query, headers, body, answers, errors } = document;
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(path === undefined ? {} : { params: Type.Object(path) }),
    ...(query === undefined ? {} : { querystring: Type.Object(query) }),
    ...(headers === undefined ? {} : { headers: Type.Object(headers) }),
    ...(body === undefined ? {} : { body: { content: media(body) } }),
    response: responses(answers, [...errors, ...ANYWHERE]),
  };
}

function responses(answers: RouteDocument['answers'], errors: readonly ErrorCode[]): object {
  const byStatus = Map.groupBy(new Set(errors), (code) => HTTP_STATUS[code]);
  const described: Record<number, object> = {};
  for (const [status, answer] of Object.entries(answers)) described[Number(status)] = response(answer);
  for (const [status, codes] of byStatus) {
    const { content = {} } = answers[status] ?? {};
    const description = answers[status]?.description ?? `Refused: ${codes.join(', ')}.`;
    const retry = status === 429 || status === 503 ? { headers: { 'retry-after': RETRY_AFTER } } : {};
    described[status] = response({
      description,
      content: { ...content, [PROBLEM_TYPE]: problem(status, codes) },
      ...retry,
    });
  }
  return described;
}

function response({ description, content, headers }: RouteAnswer): object {
  return {
    description,
    ...(headers === undefined ? {} : { headers }),
    // Without a body: the word of the plug-in for it.
    ...(content === undefined ? { type: 'null' } : { content: media(content) }),
  };
}

/** The problem with the codes that this route gives with this status. */
function problem(status: number, codes: readonly ErrorCode[]): TSchema {
  const narrowed = Type.Object({ status: Type.Literal(status), code: Type.Enum([...codes]) });
  return Type.Intersect([component('Problem'), narrowed]);
}

function media(content: Readonly<Record<string, TSchema>>): object {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
}

import type { Answered } from './fuzz-client.ts';
import type { OpenApiDocument, Operation, SchemaCheck } from './openapi-document.ts';

/** The checks of Schemathesis, by its names. `ignored_auth` comes with authentication: so far there is none to ignore. */
export const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'response_headers_conformance',
  'negative_data_rejection',
  'positive_data_acceptance',
  'missing_required_header',
  'unsupported_method',
  'use_after_free',
  'ensure_resource_availability',
] as const;
export type Check = (typeof CHECKS)[number];

/** Counts what was looked at and keeps what was wrong. */
export class Findings {
  readonly counts = Object.fromEntries(CHECKS.map((check) => [check, { checked: 0, failed: 0 }])) as Record<
    Check,
    { checked: number; failed: number }
  >;
  readonly failures: { check: Check; context: unknown }[] = [];

  expect(check: Check, holds: boolean, context: unknown): void {
    this.counts[check].checked++;
    if (holds) return;
    this.counts[check].failed++;
    this.failures.push({ check, context });
  }
}

/** What holds for every answer to a method that an address has. */
export function checkAnswer({
  operation,
  answer,
  check,
  findings,
  context,
  document,
}: {
  operation: Operation;
  answer: Answered;
  check: SchemaCheck;
  findings: Findings;
  context: object;
  document: OpenApiDocument;
}): void {
  const told = { ...context, status: answer.status, answer: answer.text.slice(0, 600) };
  findings.expect('not_a_server_error', answer.status < 500, told);
  const response = operation.responses[String(answer.status)];
  findings.expect('status_code_conformance', response !== undefined, told);
  if (!response) return;
  const type = String(answer.headers['content-type'] ?? '')
    .split(';')[0]!
    .trim();
  const media = response.content?.[type];
  const isEmpty = response.content === undefined && answer.text === '' && type === '';
  findings.expect('content_type_conformance', media !== undefined || isEmpty, { ...told, type });
  if (media && /json$/.test(type)) {
    const schema = type === 'application/x-ndjson' ? document.components.schemas['BatchLine']! : media.schema;
    const values = type === 'application/x-ndjson' ? answer.text.split('\n').filter(Boolean) : [answer.text];
    const faults = values.map((text) => check.fault(schema, JSON.parse(text))).filter((fault) => fault !== undefined);
    findings.expect('response_schema_conformance', faults.length === 0, { ...told, fault: faults[0] });
  }
  for (const [name, { schema }] of Object.entries(response.headers ?? {})) {
    const given = answer.headers[name];
    const value = schema.type === 'integer' ? Number(given) : given;
    const isOptional = name === 'link' && given === undefined;
    const fault = isOptional ? undefined : check.fault(schema, value);
    findings.expect('response_headers_conformance', fault === undefined, { ...told, name, given });
  }
}

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';

/** The part of JSON Schema 2020-12 that our document uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly propertyNames?: Schema;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly minProperties?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly contentSchema?: Schema;
  readonly examples?: readonly unknown[];
  readonly 'x-other-spellings'?: readonly string[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly schema: Schema;
}

export type Content = Readonly<Record<string, { readonly schema: Schema }>>;

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<
    Record<
      string,
      { readonly content?: Content; readonly headers?: Readonly<Record<string, { readonly schema: Schema }>> }
    >
  >;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  /** What the service sends to others. */
  readonly webhooks?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** What only the service can tell. */
const FORMATS = [
  'contexts-cursor',
  'cidr',
  'events-cursor',
  'subscriptions-cursor',
  'dead-letters-cursor',
  'topics-cursor',
  'scheduled-cursor',
  'keys-cursor',
  'deliveries-cursor',
  'runs-cursor',
  'report-cursor',
  'subscription-name',
  'projections-cursor',
  'json-schema',
];
const COMPONENTS = '#/components/schemas/';

export function routesOf({ paths }: OpenApiDocument): readonly Route[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

export function resolve(document: OpenApiDocument, schema: Schema): Schema {
  return schema.$ref === undefined ? schema : document.components.schemas[schema.$ref.slice(COMPONENTS.length)]!;
}

/** Validates against schemas of the document. Throws for a schema that is none, or names one that is not there. */
export class SchemaCheck {
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<Schema, ValidateFunction>();

  constructor({ components }: OpenApiDocument) {
    const keywords = ['x-other-spellings'];
    this.#ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: false, keywords });
    ajvFormats.default(this.#ajv);
    for (const format of FORMATS) this.#ajv.addFormat(format, true);
    for (const [name, schema] of Object.entries(components.schemas)) this.#ajv.addSchema(named(schema), name);
  }

  /** What is wrong with a value; `undefined` when nothing is. */
  fault(schema: Schema, value: unknown): string | undefined {
    let validate = this.#validators.get(schema);
    if (!validate) {
      validate = this.#ajv.compile(named(schema));
      this.#validators.set(schema, validate);
    }
    return validate(value) ? undefined : this.#ajv.errorsText(validate.errors);
  }
}

function named(schema: Schema): object {
  return JSON.parse(JSON.stringify(schema).replaceAll(`"${COMPONENTS}`, '"')) as object;
}

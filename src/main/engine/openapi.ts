/** The contract for other programs: its OpenAPI document, and the same procedures over plain HTTP, POST /api/v1/FEATURE/PROCEDURE with JSON. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ConditionalSchemaConverter, OpenAPIGenerator } from '@orpc/openapi'
import { OpenAPIHandler } from '@orpc/openapi/node'
import { BodyLimitPlugin } from '@orpc/server/node'
import { z } from 'zod'
import { contract } from '../../shared/contract/contract.ts'
import type { EngineRouter } from './router.ts'

const PREFIX = '/api/v1'
const MAX_BODY_BYTES = 16 * 1024 * 1024

const DESCRIPTION = `Everything that the page of AMC Workstation can do. Send the key that \`amc serve\` printed as \`Authorization: Bearer KEY\`.
An expected failure is answered with {"code": "APP", "data": {"code", "message", "cure"}}: what happened, and what to do. system/events is a stream of
server-sent events that tells what changes. Long work is a job: jobs/list tells how it goes. Images are at /media/image/ID and /media/thumb/ID.`

/** zod's own schemas, as JSON Schema of 2020-12, which OpenAPI 3.1 uses. */
const zodConverter: ConditionalSchemaConverter = {
  condition: (schema) => schema instanceof z.ZodType,
  convert: (schema, { strategy }) => {
    const type = schema as unknown as z.ZodType
    const { $schema: _, ...json } = z.toJSONSchema(type, { io: strategy, unrepresentable: 'any' })
    return [!type.safeParse(undefined).success, json as never]
  },
}

/** @param url of the engine; without it the address of `amc serve` has to be put in its place */
export function openApiDocument(version: string, url = 'http://127.0.0.1:PORT'): Promise<unknown> {
  return new OpenAPIGenerator({ schemaConverters: [zodConverter] }).generate(contract, {
    info: { title: 'AMC Workstation', version, description: DESCRIPTION },
    servers: [{ url: `${url.replace(/\/$/, '')}${PREFIX}` }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    security: [{ key: [] }],
  })
}

/** Answers what is asked below the prefix, once the guard has let it in; false when the address is another. */
export type AnswerApi = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>

export function createApi(router: EngineRouter): AnswerApi {
  const handler = new OpenAPIHandler(router, { plugins: [new BodyLimitPlugin({ maxBodySize: MAX_BODY_BYTES })] })
  return async (request, response) => (await handler.handle(request, response, { prefix: PREFIX, context: {} })).matched
}

export const isApi = (pathname: string): boolean => pathname.startsWith(`${PREFIX}/`)

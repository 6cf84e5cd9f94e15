import { z } from "zod";
import { type Endpoint, rawBytes } from "#api/endpoint.ts";
import { errorCatalogue } from "#api/errors.ts";

/** The table of rows as an OpenAPI 3.1 document. */
export function openApi(table: Record<string, Endpoint>, version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [operationId, row] of Object.entries(table)) {
    const path = row.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: operation(operationId, row) };
  }
  const securitySchemes = { token: { type: "http", scheme: "bearer" } };
  return { openapi: "3.1.0", info: { title: "Towline", version }, paths, components: { securitySchemes } };
}

function operation(operationId: string, row: Endpoint): object {
  return {
    operationId,
    summary: row.summary,
    description: `Who: ${describeRule(row)}`,
    ...(row.auth === "public" ? {} : { security: [{ token: [] }] }),
    parameters: [
      ...parameters(row.params, "path"),
      ...parameters(row.query, "query"),
      ...parameters(row.headers, "header"),
    ],
    ...(row.body ? { requestBody: { required: true, content: bodyOf(row.body) } } : {}),
    responses: { 200: { description: "Done", content: json(row.response, "output") }, ...refusals(row) },
  };
}

function describeRule({ auth }: Endpoint): string {
  if (auth === "public") return "everybody";
  if ("agent" in auth) return "agents";
  if ("ingress" in auth) return "ingresses";
  return "job" in auth ? "jobs" : auth.roles.join(", ");
}

function parameters(schema: z.ZodObject | undefined, place: "path" | "query" | "header"): object[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: property,
  }));
}

function bodyOf(body: z.ZodType): object {
  if (body === rawBytes) return { "application/octet-stream": { schema: { type: "string", format: "binary" } } };
  return json(body, "input");
}

function json(schema: z.ZodType, io: "input" | "output"): object {
  return { "application/json": { schema: z.toJSONSchema(schema, { io, unrepresentable: "any" }) } };
}

function refusals(row: Endpoint): Record<string, object> {
  const codes = row.errors ?? [];
  const byStatus = Map.groupBy(codes, (code) => errorCatalogue[code].status);
  return Object.fromEntries([...byStatus].map(([status, group]) => [status, { description: group.join(", ") }]));
}

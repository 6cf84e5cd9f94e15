import { z } from "zod";
import { anyRole, endpoints } from "../endpoint.ts";

const party = z.string().min(1).max(2000);
const time = z.iso.datetime();

export const contractEndpoints = endpoints({
  listContracts: {
    method: "GET",
    path: "/api/contracts",
    summary:
      "Who talks to whom by contract: the newest pact of each consumer with each provider, and its newest result.",
    auth: { roles: anyRole },
    query: z.object({ of: party.optional().describe("Only those of this consumer or provider.") }),
    response: z.object({
      contracts: z.array(
        z.object({
          consumer: z.string(),
          provider: z.string(),
          version: z.string().describe("Of the consumer."),
          publishedAt: time,
          /** Null while nobody has verified what it says. */
          result: z.object({ success: z.boolean(), version: z.string(), at: time }).nullable(),
        }),
      ),
    }),
  },
  showContractFit: {
    method: "GET",
    path: "/api/contracts/fit",
    summary:
      "To which environments the newest version of a consumer or provider may go, by its contracts with what serves there.",
    auth: { roles: anyRole },
    query: z.object({ of: party }),
    response: z.object({
      version: z.string().describe("The newest of its main branch; of all, where that has none."),
      environments: z
        .array(
          z.object({
            environment: z.string(),
            answer: z.enum(["yes", "no", "unknown", "none"]).describe("`none`: no contracts declared."),
            reasons: z.array(z.string()).describe("Of a no or an unknown."),
          }),
        )
        .describe("By name, 20 at most."),
    }),
    errors: ["not-found"],
  },
  listContractCalls: {
    method: "GET",
    path: "/api/contracts/calls",
    summary:
      "The newest 100 calls that webhooks of contracts made or are to make, with their logs, from which secrets are taken.",
    auth: { roles: anyRole },
    response: z.object({
      calls: z.array(
        z.object({
          ...{ id: z.string(), webhook: z.string(), event: z.string() },
          ...{ consumer: z.string(), provider: z.string() },
          version: z.string().describe("Of the consumer."),
          state: z.enum(["waiting", "success", "failure"]),
          tries: z.int(),
          at: time,
          nextAt: time.nullable(),
          log: z.string(),
        }),
      ),
    }),
  },
  diffContract: {
    method: "GET",
    path: "/api/contracts/diff",
    summary: "What became another between the pacts of two versions of a consumer with a provider, place by place.",
    auth: { roles: anyRole },
    query: z.object({
      ...{ consumer: party, provider: party },
      to: party.optional().describe("Version of the consumer; the newest where none is given."),
      from: party.optional().describe("The one before that says something else, where none is given."),
    }),
    response: z.object({
      ...{ from: z.string(), to: z.string() },
      changes: z.array(
        z.object({
          interaction: z.string(),
          change: z.enum(["added", "removed", "changed"]),
          /** Within the interaction; empty for the whole of it. */
          path: z.string(),
          ...{ before: z.string().nullable(), after: z.string().nullable() },
        }),
      ),
    }),
    errors: ["not-found"],
  },
  listFieldUses: {
    method: "GET",
    path: "/api/contracts/uses",
    summary:
      "Which consumers rely on a field of a provider, by what they have published and what serves: what breaks if it changes.",
    auth: { roles: anyRole },
    query: z.object({
      provider: party,
      field: z.string().min(1).max(500).describe("`price.gross` at any depth, or `$.price.gross` from the root."),
    }),
    response: z.object({
      uses: z.array(
        z.object({
          ...{ consumer: z.string(), version: z.string() },
          /** Where this version of the consumer serves; none: it is the newest that was published. */
          environments: z.array(z.string()),
          ...{ interaction: z.string(), side: z.enum(["request", "response"]), path: z.string() },
        }),
      ),
    }),
    errors: ["not-found"],
  },
});

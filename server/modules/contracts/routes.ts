import type { contractEndpoints } from "#api/endpoints/contracts.ts";
import { refuse } from "#api/errors.ts";
import type { Handlers } from "#kernel/http.ts";
import { fieldUses } from "./core/field-uses.ts";
import { pactDiff } from "./core/pact-diff.ts";
import { readPact } from "./publish.ts";
import type { ContractStore } from "./store.ts";

export function contractRoutes({ pacts, pacticipants }: ContractStore): Handlers<typeof contractEndpoints> {
  return {
    async listContracts({ query: { of } }) {
      const rows = await pacts.network(of);
      return {
        contracts: rows.map(({ consumer, provider, number, created_at, success, by, verified_at }) => ({
          ...{ consumer, provider, version: number, publishedAt: created_at.toISOString() },
          result: verified_at && { success: success === true, version: by ?? "", at: verified_at.toISOString() },
        })),
      };
    },

    async diffContract({ query: { consumer, provider, from, to } }) {
      const pair = { consumer, provider };
      const after = await pacts.pact({ ...pair, ...(to === undefined ? {} : { number: to }) });
      if (!after) return refuse("not-found", `${consumer} has no such pact with ${provider}`, { fix: known });
      const before = await (from === undefined ? pacts.previousDistinct(after) : pacts.pact({ ...pair, number: from }));
      if (!before)
        return refuse("not-found", `there is no pact to compare with: version ${from ?? "before"} published none`, {
          fix: known,
        });
      return {
        ...{ from: before.number, to: after.number },
        changes: pactDiff(readPact(before.content), readPact(after.content)),
      };
    },

    async listFieldUses({ query: { provider, field } }) {
      if (!(await pacticipants.byName(provider)))
        return refuse("not-found", `nobody has a contract with ${provider}`, { fix: known });
      const relied = await pacts.relied(provider);
      return {
        uses: relied.flatMap(({ consumer, number: version, environments, content }) =>
          fieldUses(readPact(content), field).map((use) => ({ consumer, version, environments, ...use })),
        ),
      };
    },
  };
}

const known = "Run `towline contract list`.";

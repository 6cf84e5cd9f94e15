import type { contractEndpoints } from "#api/endpoints/contracts.ts";
import { refuse } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import type { Handlers } from "#kernel/http.ts";
import { fieldUses } from "./core/field-uses.ts";
import { pactDiff } from "./core/pact-diff.ts";
import { readPact } from "./publish.ts";
import { mayServe } from "./gate.ts";
import { contractStore } from "./store.ts";
import { webhookStore } from "./webhook-store.ts";

const mostEnvironments = 20;

export function contractRoutes(db: Database): Handlers<typeof contractEndpoints> {
  const { pacts, pacticipants, environments } = contractStore(db);
  return {
    async showContractFit({ query: { of } }) {
      const party = await pacticipants.byName(of);
      const main = party?.main_branch;
      const newest = (main && (await pacticipants.latest(of, { branch: main }))) || (await pacticipants.latest(of));
      if (!newest) return refuse("not-found", `no version of ${of} is known`, { fix: known });
      const places = (await environments.list()).slice(0, mostEnvironments);
      // For what serves, the record counts; deployments keep it by themselves.
      const question = { candidates: [{ pacticipant: of, version: newest.number }], serving: new Map() };
      const asked = places.map(async ({ name: environment }) => {
        const answers = await mayServe(db, { ...question, environment });
        return answers.map((answer) => ({ environment, ...answer }));
      });
      return { version: newest.number, environments: (await Promise.all(asked)).flat() };
    },

    async listContractCalls() {
      const calls = await webhookStore(db).newestCalls();
      return {
        calls: calls.map(({ uuid: id, number: version, created_at, next_at, ...call }) => ({
          ...{ ...call, id, version, at: created_at.toISOString() },
          nextAt: next_at?.toISOString() ?? null,
        })),
      };
    },

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

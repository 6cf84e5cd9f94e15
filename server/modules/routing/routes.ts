import type { routingEndpoints } from "#api/endpoints/routing.ts";
import type { Handlers } from "#kernel/http.ts";
import type { RouteAddress } from "./index.ts";
import type { Place, RouteRow, RoutingStore } from "./store.ts";
import type { Traffic } from "./traffic.ts";

type AddressOf = (place: Place) => Promise<RouteAddress | undefined>;

interface Parts {
  addressOf: AddressOf;
  traffic: Traffic;
}

export function routingRoutes(store: RoutingStore, { addressOf, traffic }: Parts): Handlers<typeof routingEndpoints> {
  return {
    showTraffic: ({ params }) => traffic.read(params.environment),
    async listRoutes() {
      const routes = await store.routes();
      return { routes: await Promise.all(routes.map((route) => viewRoute(store, addressOf, route))) };
    },
  };
}

async function viewRoute(store: RoutingStore, addressOf: AddressOf, row: RouteRow) {
  const { service, environment, mode } = row;
  const place = { service, environment };
  const pools = await store.poolsOf(place);
  const slots = await store.slotsOf(pools.map(({ id }) => id));
  const address = (await addressOf(place)) ?? { url: "", internalUrl: "" };
  return {
    ...place,
    ...address,
    ...{ mode, until: row.mode_until?.toISOString() ?? null },
    slots: slots.map(({ instance, host, port, state, weight }) => ({
      instance,
      address: `${host}:${port}`,
      state,
      weight,
    })),
  };
}

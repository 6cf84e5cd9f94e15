import type { ingressEndpoints } from "#api/endpoints/ingresses.ts";
import type { routingEndpoints } from "#api/endpoints/routing.ts";
import { isRefusal } from "#api/errors.ts";
import { type Handlers, ingressOf, userOf } from "#kernel/http.ts";
import type { Ingresses } from "./ingresses/ingresses.ts";
import type { RouteAddress } from "./index.ts";
import type { Place, RouteRow, RoutingStore } from "./store.ts";
import type { Traffic } from "./traffic.ts";

type AddressOf = (place: Place) => Promise<RouteAddress | undefined>;

interface Parts {
  addressOf: AddressOf;
  traffic: Traffic;
  ingresses: Ingresses;
}

export function routingRoutes(
  store: RoutingStore,
  { addressOf, traffic, ingresses }: Parts,
): Handlers<typeof routingEndpoints & typeof ingressEndpoints> {
  return {
    ...ingressRoutes(ingresses),
    showTraffic: ({ params }) => traffic.read(params.environment),
    async listRoutes() {
      const routes = await store.routes();
      return { routes: await Promise.all(routes.map((route) => viewRoute(store, addressOf, route))) };
    },
  };
}

function ingressRoutes(ingresses: Ingresses): Handlers<typeof ingressEndpoints> {
  return {
    async listIngresses() {
      const all = await ingresses.list();
      return { ingresses: all.map(({ fault = null, ...rest }) => ({ ...rest, fault })) };
    },
    createIngress: ({ body }, context) => ingresses.create(body.name, userOf(context).name),
    removeIngress: ({ params }, context) => ingresses.remove(params.name, userOf(context).name),
    async takeIngressCalls({ body }, context) {
      const calls = await ingresses.take(ingressOf(context), body, context.signal);
      return isRefusal(calls) ? calls : { calls };
    },
    answerIngressCalls: ({ body }, context) => ingresses.answer(ingressOf(context), body) ?? {},
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

import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { FleetPage } from "./fleet/fleet-page.tsx";
import type { FleetSearch } from "./fleet/matching.ts";
import { NotFound } from "./parts/states.tsx";
import { Shell } from "./shell/shell.tsx";

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const fleet = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  component: FleetPage,
  validateSearch: (search): FleetSearch => ({
    ...(typeof search["find"] === "string" ? { find: search["find"] } : {}),
    ...(typeof search["show"] === "string" ? { show: search["show"] } : {}),
  }),
});

const service = createRoute({
  getParentRoute: () => rootRoute,
  path: "/services/$service",
  component: lazyRouteComponent(() => import("./service/service-page.tsx"), "ServicePage"),
});

const activity = createRoute({
  getParentRoute: () => rootRoute,
  path: "/activity",
  component: lazyRouteComponent(() => import("./activity/activity-page.tsx"), "ActivityPage"),
});

export function createAppRouter() {
  return createRouter({ routeTree: rootRoute.addChildren([fleet, service, activity]), defaultPreload: "intent" });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}

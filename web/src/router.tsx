import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { activitySearch } from "./activity/activity-search.ts";
import { readBuildSearch, readBuildsSearch } from "./build/search.ts";
import { contractsSearch } from "./contracts/contracts-search.ts";
import { environmentSearch } from "./environment/environment-search.ts";
import { FleetPage } from "./fleet/fleet-page.tsx";
import { fleetSearch } from "./fleet/matching.ts";
import { listSearch, pageSearch } from "./pull-request/pull-request-search.ts";
import { Broken, NotFound } from "./parts/states.tsx";
import { untilLoaded } from "./parts/until-loaded.ts";
import { releaseSearch } from "./release/release-search.ts";
import { settingsSearch } from "./settings/settings-search.ts";
import { Shell } from "./shell/shell.tsx";

const shownLater: typeof lazyRouteComponent = (load, name) => lazyRouteComponent(() => untilLoaded(load), name);

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const fleet = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  component: FleetPage,
  validateSearch: fleetSearch,
});

const service = createRoute({
  getParentRoute: () => rootRoute,
  path: "/services/$service",
  component: shownLater(() => import("./service/service-page.tsx"), "ServicePage"),
});

const release = createRoute({
  getParentRoute: () => rootRoute,
  path: "/services/$service/releases/$number",
  component: shownLater(() => import("./release/release-page.tsx"), "ReleasePage"),
  validateSearch: releaseSearch,
});

const builds = createRoute({
  getParentRoute: () => rootRoute,
  path: "/builds",
  component: shownLater(() => import("./build/builds-page.tsx"), "BuildsPage"),
  validateSearch: readBuildsSearch,
});

const build = createRoute({
  getParentRoute: () => rootRoute,
  path: "/builds/$repository/$number",
  component: shownLater(() => import("./build/build-page.tsx"), "BuildPage"),
  validateSearch: readBuildSearch,
});

const environments = createRoute({
  getParentRoute: () => rootRoute,
  path: "/environments",
  component: shownLater(() => import("./environment/environments-page.tsx"), "EnvironmentsPage"),
});

const environment = createRoute({
  getParentRoute: () => rootRoute,
  path: "/environments/$environment",
  component: shownLater(() => import("./environment/environment-page.tsx"), "EnvironmentPage"),
  validateSearch: environmentSearch,
});

const pullRequests = createRoute({
  getParentRoute: () => rootRoute,
  path: "/pull-requests",
  component: shownLater(() => import("./pull-request/pull-requests-page.tsx"), "PullRequestsPage"),
  validateSearch: listSearch,
});

const pullRequest = createRoute({
  getParentRoute: () => rootRoute,
  path: "/pull-requests/$repository/$number",
  component: shownLater(() => import("./pull-request/pull-request-page.tsx"), "PullRequestPage"),
  validateSearch: pageSearch,
});

const contracts = createRoute({
  getParentRoute: () => rootRoute,
  path: "/contracts",
  component: shownLater(() => import("./contracts/contracts-page.tsx"), "ContractsPage"),
  validateSearch: contractsSearch,
});

const activity = createRoute({
  getParentRoute: () => rootRoute,
  path: "/activity",
  component: shownLater(() => import("./activity/activity-page.tsx"), "ActivityPage"),
  validateSearch: activitySearch,
});

const settings = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings",
  component: shownLater(() => import("./settings/settings-page.tsx"), "SettingsPage"),
  validateSearch: settingsSearch,
});

export function createAppRouter() {
  return createRouter({
    routeTree: rootRoute.addChildren([
      fleet,
      service,
      release,
      builds,
      build,
      pullRequests,
      pullRequest,
      environments,
      environment,
      contracts,
      activity,
      settings,
    ]),
    defaultPreload: "intent",
    defaultErrorComponent: Broken,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}

import type { Page } from "playwright-core";

export interface Screen {
  name: string;
  path: string;
  /** A text that is there once the screen is. */
  sign: string;
  /** Whoever is not told is the admin. */
  who?: "nobody" | "viewer";
  /** What is done before the picture. */
  act?(page: Page): Promise<void>;
}

export const screens: readonly Screen[] = [
  { name: "sign-in", path: "/", sign: "Sign in to Towline", who: "nobody" },
  { name: "fleet", path: "/", sign: "healthy" },
  { name: "deploy", path: "/?show=storefront/production", sign: "From release 1 to 2" },
  { name: "deploy-waiting", path: "/?show=orders/production", sign: "From release 1 to 2" },
  {
    ...{ name: "rollout", path: "/?show=catalog/production", sign: "From release 1 to 3" },
    act: (page) =>
      page
        .getByRole("dialog")
        .getByRole("img", { name: /^Requests, new/ })
        .waitFor(),
  },
  { name: "service", path: "/services/catalog", sign: "succeeded" },
  { name: "release", path: "/services/catalog/releases/3", sign: "the signature holds" },
  { name: "builds", path: "/builds", sign: "search as you type" },
  { name: "build", path: "/builds/storefront/2", sign: "none is connected", act: graph },
  { name: "tests", path: "/builds/storefront/2?tab=tests", sign: "on a phone" },
  { name: "artifacts", path: "/builds/storefront/2?tab=artifacts", sign: "r.xml" },
  { name: "log", path: "/builds/storefront/2?step=lint", sign: "hold to the rules" },
  { name: "pull-requests", path: "/pull-requests", sign: "discounts for regular customers" },
  { name: "pull-request", path: "/pull-requests/catalog/1", sign: "Ten percent" },
  { name: "changes", path: "/pull-requests/catalog/1?view=changes", sign: "who sent everything back" },
  { name: "environments", path: "/environments", sign: "services healthy" },
  { name: "environment", path: "/environments/production", sign: "Who asks whom", act: graph },
  { name: "contracts", path: "/contracts?of=till", sign: "not verified" },
  { name: "activity", path: "/activity", sign: "deployments.deployment-finished" },
  { name: "settings-you", path: "/settings", sign: "browser session" },
  { name: "settings-people", path: "/settings?view=people", sign: "signs off, reviews" },
  { name: "settings-agents", path: "/settings?view=agents", sign: "queue=default" },
  { name: "settings-storage", path: "/settings?view=storage", sign: "happens by itself" },
  { name: "settings-health", path: "/settings?view=health", sign: "PostgreSQL" },
  {
    ...{ name: "find", path: "/", sign: "healthy" },
    async act(page) {
      await page.keyboard.press("Control+k");
      await page.getByRole("textbox", { name: "Find" }).fill("catalog");
      await page.getByRole("button", { name: "Deploy catalog to test", exact: true }).waitFor();
    },
  },
  { name: "no-permission", path: "/activity", sign: "Your role does not show you", who: "viewer" },
  { name: "empty", path: "/builds?repository=nothing", sign: "No build is like that" },
  {
    ...{ name: "offline", path: "/", sign: "healthy" },
    async act(page) {
      await without(page, "/api/live");
      await page.getByText(/^as of /).waitFor();
      await page.getByText("healthy").first().waitFor();
    },
  },
  {
    ...{ name: "error", path: "/settings?view=agents", sign: "queue=default" },
    async act(page) {
      await without(page, "/api/agents");
      await page.getByText("could not be read").waitFor();
    },
  },
  { name: "not-found", path: "/nowhere", sign: "There is no such page" },
];

/** Phones have lists instead. */
async function graph(page: Page): Promise<void> {
  const { width = 0 } = page.viewportSize() ?? {};
  if (width >= 768) await page.locator(".react-flow__node").first().waitFor();
}

/** As if the server gave no answer that can be used at this address, until the picture was taken. */
async function without(page: Page, path: string): Promise<void> {
  await page.route(
    (url) => url.pathname === path,
    (route) => route.fulfill({ status: 502, body: "" }),
  );
  await page.reload();
}

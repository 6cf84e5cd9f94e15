import { describe, expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { parseEnvironment } from "#pipeline/environment-file.ts";
import { parseManifest } from "#pipeline/manifest.ts";
import { diffStack } from "./diff-stack.ts";
import { renderBacking, renderStack, type StackInput } from "./render-stack.ts";
import { resolveBacking, resolveVariables } from "./resolve-variables.ts";
import type { Stack } from "./stack.ts";

function input(manifest: string, environment: string): StackInput {
  const parsedManifest = parseManifest(`service: orders\nport: 8080\n${manifest}`);
  const parsedEnvironment = parseEnvironment("test", `target: docker\n${environment}`);
  if (parsedManifest.errors) throw new Error(JSON.stringify(parsedManifest.errors));
  if (parsedEnvironment.errors) throw new Error(JSON.stringify(parsedEnvironment.errors));
  const release = {
    number: 7,
    commit: "c".repeat(40),
    repository: "registry.test/orders",
    digest: `sha256:${"d".repeat(64)}`,
  };
  return {
    manifest: parsedManifest.value,
    environment: parsedEnvironment.value,
    release,
    urls: { catalog: "http://catalog.internal:80" },
  };
}

function render(manifest: string, environment: string): Stack {
  const stack = renderStack(input(manifest, environment));
  if (isRefusal(stack)) throw new Error(stack.message);
  return stack;
}

const full = [
  "needs: [catalog]\nuses: [db]\nsecrets: [PAYMENT_KEY]\nvariables: { LOG_LEVEL: debug, MODE: fast }\nrun: { cpu: 0.5, memory: 256Mi, instances: 2..6 }\nrelease: { migrate: node migrate.js, drain: 20s }",
  "watch: 60s\ndomain: shop.example.com\nvariables: { LOG_LEVEL: info }\nbacking: { db: { image: postgres:17, volume: 1Gi }, cache: { image: redis:7, port: 6379 } }",
] as const;

describe("a stack", () => {
  test("says all that must run", () => {
    expect(render(...full)).toEqual({
      service: "orders",
      environment: "test",
      target: "docker",
      release: { number: 7, commit: "c".repeat(40) },
      image: `registry.test/orders@sha256:${"d".repeat(64)}`,
      variables: {
        CATALOG_URL: { from: "value", value: "http://catalog.internal:80" },
        DB_URL: {
          from: "backing",
          backing: "db",
          url: "postgres://postgres:${password}@db.test.backing:5432/postgres",
        },
        LOG_LEVEL: { from: "value", value: "info" },
        MODE: { from: "value", value: "fast" },
        PAYMENT_KEY: { from: "secret", secret: "PAYMENT_KEY" },
        PORT: { from: "value", value: "8080" },
        TOWLINE_COMMIT: { from: "value", value: "c".repeat(40) },
        TOWLINE_ENVIRONMENT: { from: "value", value: "test" },
        TOWLINE_RELEASE: { from: "value", value: "7" },
        TOWLINE_SERVICE: { from: "value", value: "orders" },
      },
      instances: 2,
      limits: { cpu: 0.5, memory: 268_435_456 },
      port: 8080,
      health: { path: "/health" },
      hosts: ["orders.test.localhost", "orders.shop.example.com"],
      rollout: {
        strategy: { kind: "blue-green" },
        warmUpMs: 0,
        analysis: { errors: 5, slower: 1.5, requests: 50 },
        ...{ migrate: ["node", "migrate.js"], drainMs: 20_000, stopGraceMs: 10_000, watchMs: 60_000 },
      },
      backing: [
        {
          name: "db",
          environment: "test",
          image: "postgres:17",
          port: 5432,
          host: "db.test.backing",
          volume: { name: "db", path: "/var/lib/towline" },
          variables: { PGDATA: "/var/lib/towline/data", POSTGRES_PASSWORD: "${password}" },
        },
      ],
    });
  });
  test("is the same text for the same input, whatever the order of keys in the files", () => {
    const reordered = render("variables: { MODE: fast, LOG_LEVEL: debug }", "");
    expect(JSON.stringify(render("variables: { LOG_LEVEL: debug, MODE: fast }", ""))).toBe(JSON.stringify(reordered));
  });
  test("counts the instances of a rolling rollout: more are rounded up, fewer down, and never both none", () => {
    const rolling = (text: string) =>
      render(`run: { instances: 3 }\nrelease: { strategy: rolling, ${text} }`, "").rollout.strategy;
    expect(rolling("surge: 25%, unavailable: 25%")).toEqual({ kind: "rolling", surge: 1, unavailable: 0 });
    expect(rolling("surge: 0, unavailable: 10%")).toEqual({ kind: "rolling", surge: 1, unavailable: 0 });
    expect(rolling("surge: 0, unavailable: 2")).toEqual({ kind: "rolling", surge: 0, unavailable: 2 });
  });
  test("lets the environment win over the manifest's own variables", () => {
    expect(render("variables: { A: manifest }", "variables: { A: environment }").variables["A"]).toEqual({
      from: "value",
      value: "environment",
    });
  });
});

describe("what cannot be rendered is refused", () => {
  test("a backing service that the environment does not have", () => {
    expect(renderStack(input("uses: [db]", ""))).toMatchObject({
      refused: "environment.invalid",
      fix: "add `db` to `backing` in environments/test.yml",
    });
  });
  test("a needed service without an address", () => {
    expect(renderStack(input("needs: [billing]", ""))).toMatchObject({ refused: "manifest.invalid" });
  });
  test("an environment that sets what the platform sets", () => {
    expect(renderStack(input("secrets: [KEY]", "variables: { KEY: clear }"))).toMatchObject({
      refused: "environment.invalid",
    });
    expect(renderStack(input("", "variables: { PORT: 1 }"))).toMatchObject({ refused: "environment.invalid" });
  });
});

test("the backing services of an environment are known without any service", () => {
  expect(renderBacking(input(...full).environment).map(({ name }) => name)).toEqual(["cache", "db"]);
});

describe("values are filled in last", () => {
  test("passwords are escaped in addresses and taken as they are elsewhere", () => {
    const { variables, backing } = render(...full);
    const resolved = resolveVariables({ variables }, { secrets: { PAYMENT_KEY: "k$&" }, passwords: { db: "p@ss$&" } });
    expect(resolved).toMatchObject({
      values: {
        PAYMENT_KEY: "k$&",
        DB_URL: "postgres://postgres:p%40ss%24%26@db.test.backing:5432/postgres",
        PORT: "8080",
      },
    });
    expect(resolveBacking(backing[0]?.variables ?? {}, "p@ss$&")).toMatchObject({ POSTGRES_PASSWORD: "p@ss$&" });
  });
  test("a secret that is a file is none of the variables", () => {
    const stack = render("secrets: [KEY, { name: TLS_KEY, file: /run/secrets/tls.key }]", "");
    expect(stack.files).toEqual({ "/run/secrets/tls.key": { secret: "TLS_KEY" } });
    const resolved = resolveVariables(stack, { secrets: { KEY: "one", TLS_KEY: "two" }, passwords: {} });
    expect(resolved).toMatchObject({ values: { KEY: "one" }, files: { "/run/secrets/tls.key": "two" } });
    expect(resolved).not.toHaveProperty("values.TLS_KEY");
    expect(resolveVariables(stack, { secrets: { KEY: "one" }, passwords: {} })).toEqual({ missing: ["TLS_KEY"] });
  });
  test("all that is missing is named", () => {
    expect(resolveVariables(render(...full), { secrets: {}, passwords: {} })).toEqual({
      missing: ["db", "PAYMENT_KEY"],
    });
  });
});

describe("the difference of two stacks", () => {
  test("is empty for the same stack", () => {
    expect(diffStack(render(...full), render(...full))).toEqual([]);
  });
  test("names what is added, removed and changed", () => {
    const before = render("variables: { A: 1, B: 2 }\nrun: { cpu: 1 }", "");
    const after = render("variables: { B: 3 }\nsecrets: [C]\nrun: { cpu: 2, command: node x.js }", "");
    expect(diffStack(before, after)).toEqual([
      { path: "command", kind: "added", after: "node x.js" },
      { path: "limits.cpu", kind: "changed", before: "1", after: "2" },
      { path: "variables.A", kind: "removed", before: "1" },
      { path: "variables.B", kind: "changed", before: "2", after: "3" },
      { path: "variables.C", kind: "added", after: "secret C" },
    ]);
  });
  test("lists everything where nothing was before", () => {
    const changes = diffStack(undefined, render(...full));
    expect(changes.every(({ kind }) => kind === "added")).toBe(true);
    expect(changes.map(({ path }) => path)).toContain("backing.db.volume.name");
  });
});

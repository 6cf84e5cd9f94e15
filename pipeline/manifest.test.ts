import { describe, expect, test } from "vitest";
import { manifestSchema, parseManifest, urlVariable } from "./manifest.ts";

const faults = (text: string) =>
  parseManifest(text).errors?.map(
    ({ code, place, fix }) => `${code} ${place.line}:${place.column}${fix ? ` ${fix}` : ""}`,
  );
const value = (text: string) => {
  const parsed = parseManifest(text);
  if (parsed.errors) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
};

const full = `
service: orders
owner: checkout
http: { port: 8080, health: /ready }
needs: [catalog]
uses: [db]
secrets: [PAYMENT_KEY]
variables: { LOG_LEVEL: info, VERSION: 1.10, DEBUG: true }
run: { cpu: 0.50, memory: 256Mi, instances: 2..6, command: node server.js }
release: { strategy: rolling, migrate: [node, migrate.js], drain: 20s }
image: { context: services/orders, dockerfile: docker/Dockerfile, args: { BASE: "node:24" } }
`;

describe("a manifest", () => {
  test("needs a service and a port, everything else has a default", () => {
    expect(value("service: orders\nhttp: { port: 8080 }")).toEqual({
      service: "orders",
      port: 8080,
      health: "/health",
      needs: [],
      uses: [],
      secrets: [],
      variables: {},
      run: { cpu: 1, memory: 512 * 1024 * 1024, instances: { min: 1, max: 1 } },
      release: {
        ...{ strategy: "blue-green", drain: 10_000, warmUp: 0, surge: 1, unavailable: 0, steps: [] },
        analysis: { errors: 5, slower: 1.5, requests: 50 },
      },
      image: { context: ".", dockerfile: "Dockerfile", args: {} },
    });
  });
  test("takes the port alone, as `port` or as `http`", () => {
    expect(value("service: a\nport: 80")).toEqual(value("service: a\nhttp: 80"));
  });
  test("gives durations in milliseconds, sizes in bytes and texts as written", () => {
    expect(value(full)).toMatchObject({
      health: "/ready",
      variables: { LOG_LEVEL: "info", VERSION: "1.10", DEBUG: "true" },
      run: { cpu: 0.5, memory: 268_435_456, instances: { min: 2, max: 6 }, command: ["node", "server.js"] },
      release: { migrate: ["node", "migrate.js"], drain: 20_000 },
    });
  });
  test("folds times and holds into the steps of a canary", () => {
    const steps = (text: string) => value(`service: a\nport: 80\nrelease: { strategy: canary${text} }`).release.steps;
    expect(steps(", steps: [5%, 30s, 30s, 25%, hold, 50%, 1m, hold]")).toEqual([
      { percent: 5, ms: 60_000, hold: false },
      { percent: 25, ms: 0, hold: true },
      { percent: 50, ms: 60_000, hold: true },
    ]);
    expect(steps("").map(({ percent }) => percent)).toEqual([10, 50]);
  });
  test("keeps to the platform's time for becoming healthy unless it names one", () => {
    const within = (text: string) => value(`service: a\nport: 80\nrelease: {${text}}`).release.healthyWithin;
    expect([within(""), within(" healthy-within: 3m ")]).toEqual([undefined, 180_000]);
  });
  test("can be stored as JSON and read back", () => {
    const manifest = value(full);
    expect(manifestSchema.parse(JSON.parse(JSON.stringify(manifest)))).toEqual(manifest);
  });
  test("warns about keys that are not acted on yet", () => {
    const { warnings } = parseManifest("service: a\nport: 80\nwatch: { p95: 300ms }\n");
    expect(warnings.map(({ code, place }) => `${code} ${place.line}:${place.column}`)).toEqual([
      "manifest.not-acted-on 3:1",
    ]);
  });
  test("says what the number of instances follows, and after which calm one goes", () => {
    const scale = (text: string) =>
      value(`service: a\nport: 80\nrun: { instances: 2..6, scale: { ${text} } }`).run.scale;
    expect(scale("cpu: 60%, p95: 200ms")).toEqual({ cpu: 60, p95: 200, calm: 180_000 });
    expect(scale("requests: 50, calm: 30s")).toEqual({ requests: 50, calm: 30_000 });
  });
  test("warns where the number of instances cannot change", () => {
    const warned = (run: string) =>
      parseManifest(`service: a\nport: 80\nrun: { ${run} }`).warnings.map(
        ({ code, place, fix }) => `${code} ${place.line}:${place.column} ${fix}`,
      );
    expect(warned("instances: 2..6")).toEqual(["manifest.not-acted-on 3:8 add `scale: { cpu: 60% }`"]);
    expect(warned("instances: 2, scale: { cpu: 60% }")).toEqual([
      "manifest.not-acted-on 3:22 write a range such as `instances: 2..6`",
    ]);
    expect(warned("instances: 2..6, scale: { cpu: 60% }")).toEqual([]);
  });
});

describe("a wrong manifest", () => {
  test("names every unknown key and what was probably meant", () => {
    expect(faults("servce: a\nhttp: { prt: 80 }")).toEqual([
      "shape.missing-key 1:1 add `service:`",
      "shape.unknown-key 1:1 did you mean `service`?",
      "shape.missing-key 2:7 add `port:`",
      "shape.unknown-key 2:9 did you mean `port`?",
    ]);
  });
  test.each(["{}", "{ calm: 1m }", "{ cpu: 0% }", "{ cpu: 120% }", "{ requests: 0 }", "{ cpu: 60%, calm: 1s }"])(
    "scales by no target that means nothing: %s",
    (scale) => {
      const text = `service: a\nport: 80\nrun: { instances: 1..2, scale: ${scale} }`;
      expect(faults(text)?.[0]).toMatch(/^shape\.wrong-value 3:/);
    },
  );
  test("reports every wrong value at its place", () => {
    const text =
      "service: Orders\nport: 99999\nneeds: catalog\nrun: { cpu: fast, memory: 12, instances: 6..2 }\nrelease: { drain: 20 }\nimage: { context: ../x }";
    expect(parseManifest(text).errors?.map(({ code, place }) => `${code} ${place.line}:${place.column}`)).toEqual([
      "shape.wrong-value 1:10",
      "shape.wrong-value 2:7",
      "shape.wrong-type 3:8",
      "shape.wrong-value 4:13",
      "shape.wrong-type 4:27",
      "shape.wrong-value 4:42",
      "shape.wrong-type 5:19",
      "shape.wrong-value 6:19",
    ]);
  });
  test.each([
    ["surge: 2", "3:12 write `strategy: rolling`, or remove `surge`"],
    ["strategy: rolling, steps: [10%]", "3:31 write `strategy: canary`, or remove `steps`"],
    ["strategy: rolling, surge: 0", "3:38 let `surge` or `unavailable` be at least 1"],
    ["strategy: canary, steps: [hold]", "3:38 begin with a share such as 10%"],
    ["strategy: canary, steps: [50%, 10%]", "3:37 write them from the smallest to the largest"],
  ])("may not ask for a rollout that cannot be: %s", (release, fault) => {
    expect(faults(`service: a\nport: 80\nrelease: { ${release} }`)).toEqual([`shape.wrong-value ${fault}`]);
  });
  test.each(["strategy: fast", "strategy: canary, steps: [110%]", "strategy: canary, steps: [soon]", "surge: 101%"])(
    "reports a wrong value of the rollout: %s",
    (release) => {
      expect(faults(`service: a\nport: 80\nrelease: { ${release} }`)?.[0]).toMatch(/^shape\.wrong-(value|type) 3:/);
    },
  );
  test("may not miss the port, nor give it twice", () => {
    expect(faults("service: a")).toEqual(["shape.missing-key 1:1 add `http: { port: 8080 }`"]);
    expect(faults("service: a\nhttp: 80\nport: 80")).toEqual(["shape.wrong-value 3:1 keep `http.port`"]);
  });
  test("may not set one variable from two sources", () => {
    const text = "service: a\nport: 80\nneeds: [db]\nuses: [db]\nvariables: { PORT: 1, KEY: x }\nsecrets: [KEY]";
    expect(parseManifest(text).errors?.map(({ message }) => message)).toEqual([
      "`DB_URL` would be set by needs db and by uses db",
      "`PORT` would be set by the port and by variable PORT",
      "`KEY` would be set by secret KEY and by variable KEY",
    ]);
  });
  test("delivers secrets as variables, as files, or as both", () => {
    const secrets =
      "secrets: [KEY, { name: TLS_KEY, file: /run/secrets/tls.key }, { name: KEY, file: /run/secrets/key }]";
    expect(value(`service: a\nport: 80\n${secrets}`)).toMatchObject({
      secrets: ["KEY"],
      secretFiles: { "/run/secrets/tls.key": "TLS_KEY", "/run/secrets/key": "KEY" },
    });
  });
  test.each([
    ["{ name: A, file: key }", "shape.wrong-value 3:28"],
    ["{ name: A, file: /run/../etc/passwd }", "shape.wrong-value 3:28"],
    ["{ name: A, file: /proc/1/environ }", "shape.wrong-value 3:28"],
    ["{ name: A, file: /a }, { name: B, file: /a }", "shape.wrong-value 3:51 give it another path"],
    ["{ name: A, file: /a }, { name: B, file: /a/b }", "shape.wrong-value 3:51 give it another path"],
  ])("may not put a secret where it cannot be a file: %s", (secret, fault) => {
    expect(faults(`service: a\nport: 80\nsecrets: [${secret}]`)).toEqual([fault]);
  });
  test.each(["", "- a", "just text", "3"])("is an error and not a crash for %j", (text) => {
    expect(faults(text)?.[0]).toBe("shape.wrong-type 1:1");
  });
});

test("the variable for a name is upper case with underscores", () => {
  expect(urlVariable("order-history")).toBe("ORDER_HISTORY_URL");
});

test.each([
  "privileged: true",
  "volumes: [/:/host]",
  "run: { privileged: true }",
  "run: { network: host }",
  "run: { mounts: [/var/run/docker.sock] }",
  "run: { cap_add: [ALL] }",
  "run: { memory: 0Mi }",
  "image: { tag: latest }",
])("no manifest asks for what would reach the host, nor for a moving tag: %s", (text) => {
  const { errors = [] } = parseManifest(`service: orders\nport: 8080\n${text}\n`);
  expect(errors.map(({ place }) => place.line)).toEqual([3]);
});

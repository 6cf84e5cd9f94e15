import { describe, expect, test } from "vitest";
import { environmentFileSchema, parseEnvironment } from "./environment-file.ts";

const faults = (text: string, name = "production") =>
  parseEnvironment(name, text).errors?.map(
    ({ code, place, fix }) => `${code} ${place.line}:${place.column}${fix ? ` ${fix}` : ""}`,
  );
const value = (text: string) => {
  const parsed = parseEnvironment("production", text);
  if (parsed.errors) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
};

describe("an environment", () => {
  test("needs a target and watches for ten seconds", () => {
    expect(value("target: docker")).toEqual({
      name: "production",
      target: "docker",
      watch: 10_000,
      variables: {},
      backing: {},
      promotion: "manual",
      contracts: "required",
      require: [],
      exec: [],
      signOffs: [],
      freeze: [],
      order: {},
      secrets: {},
    });
  });
  test("lets only roles that there are run programs inside of instances", () => {
    expect(value("target: docker\nexec: [lead, lead]")).toMatchObject({ exec: ["lead"] });
    expect(parseEnvironment("test", "target: docker\nexec: [boss]").errors).toHaveLength(1);
  });
  test("keeps its rules and variables", () => {
    expect(
      value("target: docker\ndomain: shop.example.com\nafter: test\nwatch: 60s\nvariables: { LOG_LEVEL: info }"),
    ).toMatchObject({
      domain: "shop.example.com",
      after: "test",
      watch: 60_000,
      variables: { LOG_LEVEL: "info" },
    });
  });
  test("knows Postgres by its image", () => {
    const expected = {
      port: 5432,
      environment: { POSTGRES_PASSWORD: "${password}" },
      url: "postgres://postgres:${password}@${host}:${port}/postgres",
    };
    for (const image of ["postgres:17", "localhost:5000/base-postgres", "library/postgres@sha256:" + "a".repeat(64)])
      expect(value(`target: docker\nbacking: { db: { image: "${image}" } }`).backing["db"]).toEqual({
        image,
        ...expected,
      });
  });
  test("puts the data of Postgres on the volume, where every version of the image takes it", () => {
    expect(value("target: docker\nbacking: { db: { image: postgres:17, volume: 10Gi } }").backing["db"]).toMatchObject({
      volume: { path: "/var/lib/towline", size: 10 * 2 ** 30 },
      environment: { PGDATA: "/var/lib/towline/data" },
    });
  });
  test("takes any other image with its port", () => {
    const text =
      "target: docker\nbacking: { cache: { image: keydb:6, port: 6379, volume: { path: /data }, url: 'redis://${host}:${port}' } }";
    expect(value(text).backing["cache"]).toEqual({
      image: "keydb:6",
      port: 6379,
      volume: { path: "/data" },
      environment: {},
      url: "redis://${host}:${port}",
    });
  });
  test("takes programs of an image for backup and restore, a line or arguments, both or none", () => {
    const text = (more: string) => `target: docker\nbacking:\n  db:\n    image: postgres:17\n${more}`;
    expect(value(text("    backup: dump all\n    restore: [load, all]\n    backups: 3")).backing["db"]).toMatchObject({
      backup: ["sh", "-c", "dump all"],
      restore: ["load", "all"],
      backups: 3,
    });
    expect(faults(text("    backup: dump"))).toEqual(["shape.missing-key 4:5 add `restore:`"]);
    expect(faults(text("    backups: 0"))).toEqual(["shape.wrong-value 5:14"]);
  });
  test("can be stored as JSON and read back", () => {
    const environment = value("target: docker\nbacking: { db: { image: postgres:17, volume: 1Gi } }");
    expect(environmentFileSchema.parse(JSON.parse(JSON.stringify(environment)))).toEqual(environment);
  });
  test("names who signs off; where it does not, those who approve do", () => {
    const text = "target: docker\nsign-offs: [{ name: qa }, { name: acceptance, users: [eve, max], count: 2 }]";
    expect(value(text).signOffs).toEqual([
      { name: "qa", roles: ["analyst", "lead", "admin"], users: [], count: 1 },
      { name: "acceptance", roles: [], users: ["eve", "max"], count: 2 },
    ]);
  });
  test("is frozen every week, or once; a date alone begins at midnight", () => {
    const text = `target: docker
freeze:
  - { from: Fri 16:00, to: Mon 08:00, zone: Europe/Berlin }
  - { name: christmas, from: 2026-12-20, to: 2027-01-02 12:00, reason: holidays }`;
    expect(value(text).freeze).toEqual([
      { name: "freeze-1", from: "Fri 16:00", to: "Mon 08:00", zone: "Europe/Berlin" },
      { name: "christmas", from: "2026-12-20 00:00", to: "2027-01-02 12:00", zone: "UTC", reason: "holidays" },
    ]);
  });
  test("says which services go first, and whether releases come by themselves", () => {
    const text = "target: docker\npromotion: automatic\nservices: { orders: { after: [catalog] }, catalog: {} }";
    expect(value(text)).toMatchObject({ promotion: "automatic", order: { orders: ["catalog"] } });
  });
  test("holds secrets that age has encrypted, for all services and for one", () => {
    const [binary, armored] = ["YWdlLWVuY3J5cHRpb24ub3JnAAAA", "-----BEGIN AGE ENCRYPTED FILE-----"];
    const text = `target: docker
secrets: { KEY: ${binary} }
services:
  orders:
    secrets:
      KEY: |
        ${armored}
        ${binary}
        -----END AGE ENCRYPTED FILE-----`;
    expect(value(text).secrets).toEqual({
      "*": { KEY: binary },
      orders: { KEY: `${armored}\n${binary}\n-----END AGE ENCRYPTED FILE-----` },
    });
  });
  test("stored before it had these rules can be read", () => {
    const old = { name: "test", target: "docker", watch: 0, variables: {}, backing: {} };
    expect(environmentFileSchema.parse(old)).toMatchObject({ signOffs: [], freeze: [], order: {} });
  });
  test("warns that the size of a volume is not limited", () => {
    const { warnings } = parseEnvironment(
      "test",
      "target: docker\nbacking: { db: { image: postgres:17, volume: 1Gi } }",
    );
    expect(warnings.map(({ code, place }) => `${code} ${place.line}:${place.column}`)).toEqual([
      "environment.not-acted-on 2:46",
    ]);
  });
});

describe("a wrong environment", () => {
  test("is refused for targets that cannot be served yet", () => {
    expect(faults("target: aws")).toEqual(["environment.not-supported 1:9 use `docker` or `swarm`"]);
    expect(faults("target: swrm")).toEqual(["shape.wrong-value 1:9 did you mean `swarm`?"]);
  });
  test("names unknown keys", () => {
    expect(faults("target: docker\nwacth: 1s")).toEqual(["shape.unknown-key 2:1 did you mean `watch`?"]);
  });
  test("needs what cannot be known of an image", () => {
    expect(faults("target: docker\nbacking:\n  cache:\n    image: keydb:6\n    volume: 1Gi")).toEqual([
      "shape.missing-key 4:12 add `port:`",
      "shape.missing-key 4:12 write `volume: { path: /data }`",
    ]);
  });
  test("may not use unknown placeholders", () => {
    const text =
      "target: docker\nbacking:\n  db:\n    image: postgres:17\n    url: postgres://${hst}\n    environment: { A: '${host}' }";
    expect(faults(text)).toEqual([
      "shape.wrong-value 5:10 did you mean `host`?",
      "shape.wrong-value 6:23 known are `password`",
    ]);
  });
  test.each([
    ["sign-offs: [{ name: qa, roles: [analist] }]", "shape.wrong-value 2:33 did you mean `analyst`?"],
    ["sign-offs: [{ name: qa }, { name: qa }]", "shape.wrong-value 2:35 give it another name"],
    ["sign-offs: [{ name: qa, users: [eve], count: 2 }]", "shape.wrong-value 2:46 name more users, or roles"],
    ["sign-offs: [{ name: qa, count: 0 }]", "shape.wrong-value 2:32"],
    ["sign-offs: [{ name: QA }]", "shape.wrong-value 2:21"],
    ["sign-offs: [{ name: qa, role: [lead] }]", "shape.unknown-key 2:25 did you mean `roles`?"],
    ["freeze: [{ from: Fr 16:00, to: Mon 08:00 }]", "shape.wrong-value 2:18"],
    ["freeze: [{ from: 2026-02-30, to: 2026-03-01 }]", "shape.wrong-value 2:18"],
    ["freeze: [{ from: 2026-12-20, to: 2026-12-19 }]", "shape.wrong-value 2:34"],
    ["freeze: [{ from: Fri 16:00, to: 2026-12-19 }]", "shape.wrong-value 2:33"],
    ["freeze: [{ from: Fri 16:00, to: Mon 08:00, zone: Berlin }]", "shape.wrong-value 2:50"],
    [
      "freeze: [{ name: x, from: 2026-12-20, to: 2026-12-21 }, { name: x, from: 2027-12-20, to: 2027-12-21 }]",
      "shape.wrong-value 2:65 give it another name",
    ],
    ["secrets: { KEY: hush }", "environment.clear-secret 2:17 write what `towline secret encrypt` prints"],
    ["services: { a: { secrets: { KEY: 1 } } }", "shape.wrong-type 2:34 write what `towline secret encrypt` prints"],
    ["secrets: { '1': YWdlLWVuY3J5cHRpb24ub3JnAAAA }", "shape.wrong-value 2:12"],
    ["promotion: sometimes", "shape.wrong-value 2:12 known are `automatic`, `manual`"],
    ["services: { a: { after: [b] }, b: { after: [c] }, c: { after: [a] } }", "environment.cycle 2:26 remove `b` here"],
    ["services: { a: { after: [a] } }", "environment.cycle 2:26 remove `a` here"],
    ["services: { a: { before: [b] } }", "shape.unknown-key 2:18 known are `after`, `secrets`"],
  ])("refuses %s with its place", (rule, fault) => {
    expect(faults(`target: docker\n${rule}`)).toEqual([fault]);
  });
  test("may not come after itself, and its name is checked", () => {
    expect(faults("target: docker\nafter: production")).toEqual(["shape.wrong-value 2:8"]);
    expect(faults("target: docker", "../x")).toEqual(["shape.wrong-value 1:1 rename the file"]);
  });
});

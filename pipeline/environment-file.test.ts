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
    });
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
      "target: docker\nbacking: { cache: { image: redis:7, port: 6379, volume: { path: /data }, url: 'redis://${host}:${port}' } }";
    expect(value(text).backing["cache"]).toEqual({
      image: "redis:7",
      port: 6379,
      volume: { path: "/data" },
      environment: {},
      url: "redis://${host}:${port}",
    });
  });
  test("can be stored as JSON and read back", () => {
    const environment = value("target: docker\nbacking: { db: { image: postgres:17, volume: 1Gi } }");
    expect(environmentFileSchema.parse(JSON.parse(JSON.stringify(environment)))).toEqual(environment);
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
  test("is refused where a rule would silently do nothing", () => {
    expect(faults("target: docker\nsign-offs: [{ name: qa }]\nfreeze: []\npromotion: manual")).toEqual([
      "environment.not-supported 2:12 remove `sign-offs`",
      "environment.not-supported 3:9 remove `freeze`",
      "environment.not-supported 4:12 remove `promotion`",
    ]);
  });
  test("is refused for targets that cannot be served yet", () => {
    expect(faults("target: aws")).toEqual(["environment.not-supported 1:9 use `docker`"]);
    expect(faults("target: swrm")).toEqual(["shape.wrong-value 1:9 did you mean `swarm`?"]);
  });
  test("names unknown keys", () => {
    expect(faults("target: docker\nwacth: 1s")).toEqual(["shape.unknown-key 2:1 did you mean `watch`?"]);
  });
  test("needs what cannot be known of an image", () => {
    expect(faults("target: docker\nbacking:\n  cache:\n    image: redis:7\n    volume: 1Gi")).toEqual([
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
  test("may not come after itself, and its name is checked", () => {
    expect(faults("target: docker\nafter: production")).toEqual(["shape.wrong-value 2:8"]);
    expect(faults("target: docker", "../x")).toEqual(["shape.wrong-value 1:1 rename the file"]);
  });
});

import { stat } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { ask } from "../../support/ask.ts";
import { type Checkout, checkoutOf } from "../../support/checkout.ts";
import { type CommandLine, commandLine } from "../../support/command-line.ts";
import { setEnvironments } from "../../support/fleet.ts";
import { newPerson, type Person } from "../../support/people.ts";
import { removeSignature } from "../../support/remove-signature.ts";
import { done, failed, json } from "../../support/said.ts";
import { setPasswords } from "./passwords.ts";
import { manifest, pipeline } from "./shop.ts";

let platform: Platform;
/** Dana develops, Lea leads, Vera only looks. */
let people: { dana: Person; lea: Person; vera: Person };
let dana: CommandLine;
let lea: CommandLine;
let vera: CommandLine;
let checkout: Checkout;

beforeAll(async () => {
  platform = await startPlatform();
  const rules = "watch: 500ms\n";
  await setEnvironments(platform, {
    test: `target: docker\n${rules}`,
    production: `target: docker\nafter: test\nrequire: [signature, sbom, provenance]\n${rules}`,
  });
  people = {
    dana: await newPerson(platform, "dana", "developer"),
    lea: await newPerson(platform, "lea", "lead"),
    vera: await newPerson(platform, "vera", "viewer"),
  };
  [dana, lea, vera] = [await commandLine(), await commandLine(), await commandLine()];
  checkout = await checkoutOf("probe", { url: platform.url, token: people.dana.token, repository: "shop" });
  await checkout.write("towline.yml", manifest);
  await checkout.write(".towline/pipeline.yml", pipeline);
});

afterAll(async () => {
  for (const each of [checkout, dana, lea, vera, platform]) await each?.[Symbol.asyncDispose]();
});

describe("towline login", () => {
  test("keeps a token that the server knows, for this user only, and later commands need no more", async () => {
    const wrong = await dana.run("login", "--url", platform.url, "--token", "tw_wrong");
    expect(failed(wrong, 2)).toContain("[auth.bad-token]");
    expect(failed(await dana.run("status", "--url", platform.url), 2)).toContain("[auth.required]");
    const said = await dana.run("login", "--url", platform.url, "--token", people.dana.token);
    expect(done(said)).toContain(`Logged in to ${platform.url} as dana (developer)`);
    const path = /kept in (.+)/.exec(said.stdout)?.[1] ?? "";
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(done(await dana.run("status"))).toContain("No services yet");
    // A kept token goes to no other server.
    const other = platform.url.replace("127.0.0.1", "localhost");
    expect(failed(await dana.run("status", "--url", other), 2)).toContain("[auth.required]");
    for (const [who, { token, name }] of [[lea, people.lea] as const, [vera, people.vera] as const])
      expect(json(await who.run("login", "--url", platform.url, "--token", token, "--json"))).toMatchObject({
        user: name,
      });
  });
});

test("towline user password takes one from standard input and shows it nowhere", () => setPasswords(platform, dana));

describe("towline repository", () => {
  test("create is for those who develop, and its rules for those who lead", async () => {
    expect(failed(await vera.run("repository", "create", "shop"), 2)).toContain("[auth.forbidden]");
    expect(failed(await dana.run("repository", "create", "shop", "--allow-direct-push"), 2)).toContain(
      "[auth.forbidden]",
    );
    expect(done(await dana.run("repository", "create", "shop"))).toContain(`${platform.url}/git/shop.git`);
    expect(failed(await dana.run("repository", "create", "shop"), 1)).toContain("[conflict]");
    expect(failed(await dana.run("repository", "create", "../shop"), 2)).toContain("[request.invalid]");
  });

  test("list shows all with their rules", async () => {
    expect(done(await vera.run("repository", "list"))).toMatch(/^shop +\/git\/shop\.git +pull requests$/m);
    const { repositories } = json(await vera.run("repository", "list", "--json"));
    expect(repositories).toEqual(expect.arrayContaining([expect.objectContaining({ name: "shop" })]));
  });
});

describe("towline secret", () => {
  test("set takes the value from standard input; list shows names only", async () => {
    expect(failed(await dana.feed("s3cret-key\n", "secret", "set", "API_KEY"), 2)).toContain("[auth.forbidden]");
    expect(done(await lea.feed("s3cret-key\n", "secret", "set", "API_KEY", "--service", "shop"))).toContain(
      "API_KEY is set",
    );
    const place = ["--service", "shop", "--environment", "builds"];
    done(await lea.feed("b1g-signing-key\n", "secret", "set", "SIGNING_KEY", ...place));
    done(await lea.feed("gone", "secret", "set", "OLD"));
    expect(done(await lea.run("secret", "delete", "OLD"))).toContain("OLD is deleted");
    expect(failed(await lea.run("secret", "delete", "OLD"), 1)).toContain("[not-found]");
    const listed = done(await vera.run("secret", "list"));
    expect(listed).toMatch(/^SIGNING_KEY +shop +builds/m);
    expect(listed).not.toContain("OLD");
    expect(JSON.stringify(json(await vera.run("secret", "list", "--json")))).not.toContain("s3cret");
    expect(failed(await lea.feed("x", "secret", "set", "NOT A NAME"), 2)).toContain("[request.invalid]");
  });
});

describe("from the first push to production", () => {
  test("towline build watch follows to the gate, with status 0", async () => {
    await checkout.push("The shop");
    const watched = done(await dana.run("build", "watch", "shop"));
    expect(watched).toMatch(/✓ Syntax/);
    expect(watched).toMatch(/✓ deploy test/);
    expect(watched).toMatch(/shop #1 blocked/);
    expect(await ask(platform.httpPort, "shop.test.localhost")).toBe("200 1");
  });

  test("towline build list and show", async () => {
    expect(done(await vera.run("build", "list"))).toMatch(/^shop #1 +blocked +main +[0-9a-f]{8} +\d+\w +The shop$/m);
    expect(json(await vera.run("build", "list", "shop", "--branch", "other", "--json"))).toEqual({ builds: [] });
    expect(done(await vera.run("build", "show", "shop", "1"))).toMatch(/… Deploy to production +waits for .*lead/);
    expect(json(await vera.run("build", "show", "shop", "--json"))).toMatchObject({ number: 1, state: "blocked" });
    expect(failed(await vera.run("build", "show", "shop", "7"), 1)).toContain("shop has no build 7 [not-found]");
    expect(failed(await vera.run("build", "show", "nothing"), 1)).toContain("[not-found]");
    expect(failed(await vera.run("build", "show", "shop", "first"), 2)).toContain("[request.invalid]");
  });

  test("towline build logs masks secrets and knows its steps", async () => {
    const log = done(await vera.run("build", "logs", "shop", "--step", "check"));
    expect(log).toContain("$ perl -c server.pl");
    expect(log).toMatch(/^key is \S+$/m);
    expect(log).not.toContain("b1g-signing-key");
    expect(done(await vera.run("build", "logs", "shop", "1", "--follow"))).toContain("publish");
    const ofCheck = (...flags: string[]) => vera.run("build", "logs", "shop", "--step", "check", ...flags);
    expect(done(await ofCheck("--search", "KEY IS"))).toMatch(/^\d+: key is \S+$/m);
    expect(done(await ofCheck("--search", "^key is .", "--regex", "--timestamps"))).toMatch(
      /^\d+: 20\S+Z key is \S+$/m,
    );
    expect(done(await ofCheck("--tail", "1", "--timestamps"))).toMatch(/^20\S+Z key is \S+$/m);
    expect(done(await ofCheck("--lines", "1"))).toMatch(/^~~~ .*\n$/);
    expect(done(await ofCheck("--groups"))).toContain("~~~ Commands in towline/base-debian:stable");
    expect(done(await ofCheck("--group", "commands"))).toContain("key is");
    expect(failed(await ofCheck("--group", "nope"), 1)).toMatch(/Its groups: .*Commands/);
    expect(failed(await ofCheck("--lines", "many"), 2)).toContain("[request.invalid]");
    expect(failed(await ofCheck("--search", "(", "--regex"), 2)).toContain("[log.bad-pattern]");
    expect(done(await vera.run("build", "tests", "shop"))).toBe("tests: none\n");
    expect(done(await vera.run("tests", "shop", "--flaky"))).toMatch(/^TEST +RUNS/);
    expect(failed(await vera.run("tests", "show", "7"), 1)).toContain("[not-found]");
    expect(failed(await vera.run("build", "logs", "shop", "--step", "nope"), 1)).toMatch(/no step nope .*\n.*check/);
    expect(failed(await vera.run("build", "logs", "shop", "--step", "check", "--attempt", "9"), 1)).toContain(
      "[not-found]",
    );
  });

  test("towline status shows the matrix and what waits", async () => {
    // Without a question mark: Docker has told how healthy it is.
    let said = "";
    await until(async () => (said = done(await vera.run("status"))).includes("✓ 1/1"), { describe: () => said });
    expect(said).toMatch(/^SERVICE +TEST +PRODUCTION$/m);
    expect(said).toMatch(/^shop +#1 [0-9a-f]{8} \d+\w ✓ 1\/1 +–$/m);
    expect(json(await vera.run("status", "--json"))).toMatchObject({
      environments: ["test", "production"],
      services: [{ service: "shop", owner: "checkout" }],
    });
  });

  test("towline release list and show", async () => {
    expect(done(await vera.run("release", "list", "shop"))).toMatch(/^#1 +[0-9a-f]{8} +\d+\w +sha256:[0-9a-f]{64}$/m);
    expect(done(await vera.run("release", "show", "shop", "1"))).toMatch(/✓ Syntax/);
    expect(json(await vera.run("release", "show", "shop", "1", "--json"))).toMatchObject({ number: 1 });
    expect(failed(await vera.run("release", "show", "shop", "2"), 1)).toContain("[release.none]");
    const verify = () => vera.run("release", "verify", "shop", "1");
    await until(async () => (await verify()).code === 0, { deadlineMs: 120_000 });
    expect(done(await verify())).toMatch(/✓ signature: signed.*✓ sbom: \d+ packages.*✓ provenance: built of commit/s);
    expect(done(await vera.run("release", "key"))).toContain("BEGIN PUBLIC KEY");
  });

  test("towline release rotate-key makes a new key, and what the old one signed counts on", async () => {
    const old = json(await vera.run("release", "key", "--json")) as { id: string; publicKey: string };
    expect(failed(await lea.run("release", "rotate-key"), 2)).toContain("[auth.forbidden]");
    const said = done(await lea.run("release", "rotate-key", "--url", platform.url, "--token", platform.adminToken));
    const [, key] = /signed with key ([0-9a-f]{16}) from now on/.exec(said) ?? [];
    expect(said).toMatch(/towline release attest <service> <number>/);
    const listed = done(await vera.run("release", "key", "--all"));
    expect(listed).toMatch(new RegExp(`^${key} .*signs\\s*\n${old.id.slice(0, 16)} `, "m"));
    expect(done(await vera.run("release", "key", old.id.slice(0, 16)))).toBe(old.publicKey);
    expect(failed(await vera.run("release", "key", "nope"), 1)).toContain("[not-found]");
    expect(done(await vera.run("release", "verify", "shop", "1"))).toContain(`by key ${old.id.slice(0, 16)}`);
  });

  test("towline logs shows what the instances wrote, secrets masked", async () => {
    const said = done(await vera.run("logs", "shop", "test", "--lines", "5"));
    expect(said).toMatch(/^── shop-test-r1-\w+-1 \(running\)$/m);
    expect(said).toContain("version 1, key •••");
    expect(json(await vera.run("logs", "shop", "test", "--json"))).toMatchObject({ instances: [{ state: "running" }] });
    expect(failed(await vera.run("logs", "shop", "production"), 1)).toContain("[not-found]");
    expect(failed(await vera.run("logs", "shop", "test", "--lines", "many"), 2)).toContain("[request.invalid]");
  });

  test("towline approve opens the gate for those whom the pipeline names, and the same image goes to production", async () => {
    expect(failed(await vera.run("approve", "shop"), 2)).toContain("[auth.forbidden]");
    expect(failed(await dana.run("approve", "shop"), 2)).toContain("[auth.forbidden]");
    expect(failed(await dana.run("deploy", "shop", "production", "--yes"), 2)).toContain("[auth.forbidden]");
    const released = json(await lea.run("release", "show", "shop", "1", "--json")) as { digest: string };
    await removeSignature({ url: platform.url, token: people.lea.token }, "shop", released.digest);
    done(await lea.run("approve", "shop"));
    // Production demands it: the release stands at the gate, with the reason, until it is signed again.
    const reason = "release 1 is not proven: signature: there is no signed signature";
    await until(async () => done(await vera.run("status")).includes(reason), { deadlineMs: 60_000 });
    done(await dana.run("release", "attest", "shop", "1"));
    expect(done(await lea.run("build", "watch", "shop"))).toMatch(/shop #1 passed/);
    expect(failed(await lea.run("approve", "shop"), 1)).toContain("no build of shop stands at a gate");
    expect(await ask(platform.httpPort, "shop.production.localhost")).toBe("200 1");
    const { services } = json(await vera.run("status", "--json")) as { services: { cells: { digest: string }[] }[] };
    expect(new Set(services[0]?.cells.map(({ digest }) => digest)).size).toBe(1);
  });
});

describe("a pull request", () => {
  test("is opened, shown and listed", async () => {
    expect(failed(await dana.run("pr", "open", "shop", "nowhere"), 1)).toContain("[git.bad-revision]");
    await checkout.git("checkout", "--quiet", "-b", "discount");
    await checkout.write("version.txt", "2\n");
    await checkout.push("Discounts", "discount");
    expect(failed(await vera.run("pr", "open", "shop", "discount"), 2)).toContain("[auth.forbidden]");
    const opened = done(await dana.run("pr", "open", "shop", "discount", "--title", "Discounts", "--body", "For all"));
    expect(opened).toMatch(/^#1 Discounts open +discount → main at [0-9a-f]{8} by dana$/m);
    expect(failed(await dana.run("pr", "open", "shop", "discount"), 1)).toContain("[conflict]");
    expect(done(await vera.run("pr", "list", "shop"))).toMatch(/^#1 +open +discount +dana +Discounts$/m);
    expect(json(await vera.run("pr", "list", "shop", "--state", "merged", "--json"))).toMatchObject({
      pullRequests: [],
    });
    expect(failed(await vera.run("pr", "list", "shop", "--state", "lost"), 2)).toContain("[request.invalid]");
    expect(failed(await vera.run("pr", "show", "shop", "9"), 1)).toContain("[not-found]");
    expect(failed(await vera.run("pr", "show", "shop", "one"), 2)).toContain("[request.invalid]");
  });

  /** A pull request hears of its build after that has ended. */
  const isShown = (wanted: RegExp) => until(async () => wanted.test(done(await vera.run("pr", "show", "shop", "1"))));

  test("is merged when somebody else has approved it and its build is green, not before", async () => {
    expect(failed(await dana.run("pr", "approve", "shop", "1"), 1)).toContain("[pull-request.own]");
    expect(failed(await dana.run("pr", "merge", "shop", "1"), 1)).toMatch(/\[pull-request\.not-(approved|green)\]/);
    expect(done(await lea.run("pr", "approve", "shop", "1"))).toContain("approved by lea");

    await checkout.write("server.pl", "not perl (\n");
    await checkout.push("Broken", "discount");
    const red = await dana.run("build", "watch", "shop");
    expect(red.code, red.stdout + red.stderr).toBe(1);
    expect(red.stdout).toMatch(/✗ Syntax/);
    await isShown(/build: #\d+ failed; approved by nobody/);
    done(await lea.run("pr", "approve", "shop", "1"));
    expect(failed(await dana.run("pr", "merge", "shop", "1"), 1)).toContain("[pull-request.not-green]");

    await checkout.git("revert", "--no-edit", "HEAD");
    await checkout.push("Whole again", "discount");
    done(await dana.run("build", "watch", "shop"));
    await isShown(/build: #\d+ passed/);
    expect(failed(await dana.run("pr", "merge", "shop", "1"), 1)).toContain("[pull-request.not-approved]");
    done(await lea.run("pr", "approve", "shop", "1"));
    expect(failed(await vera.run("pr", "merge", "shop", "1"), 2)).toContain("[auth.forbidden]");
    expect(json(await dana.run("pr", "merge", "shop", "1", "--json"))).toMatchObject({ state: "merged" });
    expect(failed(await dana.run("pr", "merge", "shop", "1"), 1)).toContain("[pull-request.closed]");
    expect(done(await dana.run("build", "watch", "shop"))).toMatch(/blocked/);
    expect(await ask(platform.httpPort, "shop.test.localhost")).toBe("200 2");
  });

  test("is closed without a merge", async () => {
    await checkout.git("checkout", "--quiet", "-b", "idea");
    await checkout.push("An idea", "idea");
    done(await dana.run("pr", "open", "shop", "idea"));
    expect(done(await dana.run("pr", "close", "shop", "2"))).toMatch(/^#2 idea closed /m);
    expect(failed(await dana.run("pr", "close", "shop", "2"), 1)).toContain("[pull-request.closed]");
    expect(failed(await lea.run("pr", "approve", "shop", "2"), 1)).toContain("[pull-request.closed]");
  });
});

describe("towline build", () => {
  test("retry tries a failed step again", async () => {
    await checkout.git("checkout", "--quiet", "-b", "flaky");
    await checkout.write(".towline/pipeline.yml", "steps:\n  - key: unlucky\n    command: echo no luck; exit 5\n");
    await checkout.push("Unlucky", "flaky");
    const watched = await dana.run("build", "watch", "shop", "--json");
    expect(watched.code).toBe(1);
    expect(watched.json()).toMatchObject({ outcome: "failed", steps: [{ key: "unlucky", exitStatus: 5 }] });
    expect(failed(await vera.run("build", "retry", "shop"), 2)).toContain("[auth.forbidden]");
    expect(failed(await dana.run("build", "retry", "shop", "--step", "nope"), 1)).toContain("[not-found]");
    done(await dana.run("build", "retry", "shop"));
    const again = await dana.run("build", "watch", "shop");
    expect(again.code).toBe(1);
    expect(again.stdout).toMatch(/✗ .*\(attempt 2\)/);
    expect(done(await dana.run("build", "logs", "shop", "--attempt", "1"))).toContain("no luck");
  });

  test("cancel ends a build for good", async () => {
    await checkout.git("checkout", "--quiet", "-b", "long");
    await checkout.write(".towline/pipeline.yml", "steps:\n  - key: long\n    command: sleep 600\n");
    await checkout.push("Long", "long");
    expect(failed(await vera.run("build", "cancel", "shop"), 2)).toContain("[auth.forbidden]");
    expect(json(await dana.run("build", "cancel", "shop", "--json"))).toMatchObject({ branch: "long" });
    const watched = await dana.run("build", "watch", "shop");
    expect(watched.code).toBe(1);
    expect(watched.stdout).toMatch(/shop #\d+ canceled/);
    expect(failed(await dana.run("build", "cancel", "shop"), 1)).toContain("[build.wrong-state]");
    expect(failed(await dana.run("build", "retry", "shop"), 1)).toContain("[build.wrong-state]");
  });
});

describe("towline deploy and rollback", () => {
  test("deploy shows the plan, follows the rollout and refuses what has not served where it must", async () => {
    const planned = done(await lea.run("deploy", "shop", "production", "--yes"));
    expect(planned).toMatch(/^shop in production: #1 → #2 \([0-9a-f]{8}\)$/m);
    expect(planned).toContain("✓ after: release 2 has served in test");
    expect(planned).toContain("✓ shop in production: deployment of release 2 succeeded");
    expect(await ask(platform.httpPort, "shop.production.localhost")).toBe("200 2");
    expect(failed(await lea.run("deploy", "shop", "production", "--release", "9"), 1)).toContain("[release.none]");
    expect(failed(await lea.run("deploy", "shop", "nowhere"), 1)).toContain("[not-found]");
    expect(failed(await lea.run("deploy", "nothing", "test"), 1)).toContain("[release.none]");
    expect(failed(await lea.run("deploy", "shop", "test", "--release", "two"), 2)).toContain("[request.invalid]");
    expect(failed(await vera.run("deploy", "shop", "test"), 2)).toContain("[auth.forbidden]");
  });

  test("rollback goes back to the release before", async () => {
    expect(failed(await dana.run("rollback", "shop", "production", "--yes"), 2)).toContain("[auth.forbidden]");
    expect(done(await lea.run("rollback", "shop", "production", "--yes"))).toContain("rollback to release 1 succeeded");
    expect(await ask(platform.httpPort, "shop.production.localhost")).toBe("200 1");
    expect(json(await dana.run("rollback", "shop", "test", "--release", "1", "--yes", "--json"))).toMatchObject({
      outcome: "succeeded",
      release: 1,
    });
  });
});

describe("every command", () => {
  test("towline doctor examines machine and server", async () => {
    const { rows } = json(await dana.run("doctor", "--json")) as {
      rows: { name: string; verdict: string; found: string }[];
    };
    expect(rows.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["node", "git", "docker", "compose", "disk", "server"]),
    );
    expect(rows.find(({ name }) => name === "server")).toMatchObject({
      verdict: "good",
      found: `${platform.url} as dana (developer)`,
    });
  });

  test("towline doctor --scrub reads every image for an admin", async () => {
    expect(failed(await dana.run("doctor", "--scrub"), 2)).toContain("[auth.forbidden]");
    const { scrub } = json(
      await dana.run("doctor", "--scrub", "--json", "--url", platform.url, "--token", platform.adminToken),
    ) as {
      scrub: { checked: { blobs: number }; hurt: unknown[] };
    };
    expect(scrub.checked.blobs).toBeGreaterThan(0);
    expect(scrub.hurt).toEqual([]);
  });

  test.each([
    [["nonsense"], /nonsense/],
    [["stats"], /status/],
    [["build", "show"], /repository/],
    [["build", "shw", "shop"], /show/],
    [["status", "--jsn"], /--json/],
    [["deploy", "shop"], /environment/],
    [["release", "show", "shop", "one"], /request\.invalid/],
    [["status", "extra", "words"], /too many arguments|arguments/],
  ])("%j is wrong usage: status 2 and a word about it", async (words, about) => {
    const { code, stdout, stderr } = await dana.run(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(about);
  });

  test("says with status 1 that no server answers, and how to start one", async () => {
    const said = await dana.run("status", "--url", "http://127.0.0.1:9", "--token", "tw_x");
    expect(failed(said, 1)).toMatch(/\[server\.unreachable\]\n.*towline up/);
    const parsed = (await dana.run("status", "--url", "http://127.0.0.1:9", "--json")).json();
    expect(parsed).toMatchObject({ error: { code: "server.unreachable" } });
  });

  test("has help with an example", async () => {
    const whole = done(await dana.run("--help"));
    expect(whole).toContain("rollback");
    expect(done(await dana.run("rollback", "--help"))).toContain("Example:\n  towline rollback catalog production");
    expect(done(await dana.run("build", "logs", "--help"))).toContain("--follow");
    expect(done(await dana.run("--version"))).toMatch(/^\d+\.\d+\.\d+$/m);
  });
});

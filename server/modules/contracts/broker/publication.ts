import { z } from "zod";
import { isObject, type JsonObject } from "../core/content.ts";
import {
  type Contract,
  publish,
  PublishConflict,
  type PublishDeps,
  type Published,
  type PublishResult,
  type ToPublish,
} from "../publish.ts";
import type { ContractStore } from "../store.ts";
import { bodyOf, jsonIn, name, objectIn, text } from "./body.ts";
import { type Answer, AnswerError, type Call, fail, mustOwn, publishes, type Row } from "./call.ts";
import type { Links } from "./links.ts";
import { pactResource } from "./pacts.ts";

const given = z.object({
  pacticipantName: name,
  pacticipantVersionNumber: name,
  branch: name.nullish(),
  tags: z.array(name).max(100).nullish(),
  buildUrl: text.nullish(),
  contracts: z
    .array(
      z.object({
        consumerName: name,
        providerName: name,
        specification: z.literal("pact"),
        contentType: z.string(),
        content: z.base64(),
        onConflict: z.enum(["overwrite", "merge"]).nullish(),
        writeMode: z.string().nullish(),
      }),
    )
    .max(500),
});

export function publicationRows(store: ContractStore, deps: PublishDeps): Row[] {
  async function publishAll(call: Call): Promise<Answer> {
    const body = bodyOf(call, given);
    mustOwn(call, body.pacticipantName);
    const contracts = body.contracts.map((each, index) => contractOf(each, { index, consumer: body.pacticipantName }));
    const { branch, tags, buildUrl } = body;
    const wanted: ToPublish = {
      ...{ pacticipant: body.pacticipantName, version: body.pacticipantVersionNumber, tags: tags ?? [], contracts },
      base: call.links.base,
      ...(branch ? { branch } : {}),
      ...(buildUrl ? { buildUrl } : {}),
    };
    return settled(
      async () => ({ status: 200, body: publishAnswer(wanted, await publish(deps, wanted), call.links) }),
      true,
    );
  }

  /** As clients did it before there was one request for all: JVM and Maven still do. */
  async function putPact(call: Call): Promise<Answer> {
    const { consumer = "", provider = "", number = "" } = call.params;
    mustOwn(call, consumer);
    const pact = objectIn(call);
    const misnamed = Object.entries({ consumer, provider }).flatMap(([side, expected]) => {
      const found = pact[side];
      return isObject(found) && typeof found["name"] === "string" && found["name"] !== expected
        ? [`${side} name in pact ('${found["name"]}') does not match ${side} name in path ('${expected}')`]
        : [];
    });
    if (misnamed.length > 0) return fail(400, misnamed);
    const contracts: Contract[] = [{ consumer, provider, pact, onConflict: "refuse" }];
    return settled(async () => {
      const { base } = call.links;
      const { published } = await publish(deps, { pacticipant: consumer, version: number, tags: [], contracts, base });
      const row = await store.pacts.pact({ consumer, provider, number });
      return { status: published[0]?.again ? 200 : 201, body: row ? pactResource(row, call.links) : {} };
    });
  }

  return [
    { path: "/contracts/publish", methods: { POST: publishes(publishAll) } },
    {
      path: "/pacts/provider/:provider/consumer/:consumer/version/:number",
      methods: { PUT: publishes(putPact) },
    },
  ];
}

async function settled(work: () => Promise<Answer>, asNotices = false): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PublishConflict)) throw error;
    const notices = error.reasons.map((text) => ({ type: "error", text }));
    return asNotices
      ? { status: 409, body: { errors: { contracts: error.reasons }, notices } }
      : fail(409, error.reasons);
  }
}

type GivenContract = z.output<typeof given>["contracts"][number];

function contractOf(each: GivenContract, { index, consumer }: { index: number; consumer: string }): Contract {
  const at = `contracts[${index}]`;
  const bad = (field: string, reason: string) => new AnswerError(fail(400, { [`${at}.${field}`]: [reason] }));
  if (!/\bjson\b/.test(each.contentType)) throw bad("contentType", "must be a kind of JSON");
  if (each.consumerName !== consumer) throw bad("consumerName", `must be the pacticipant that publishes, ${consumer}`);
  const pact = pactIn(each.content);
  if (typeof pact === "string") throw bad("content", pact);
  for (const [side, expected] of [
    ["consumer", each.consumerName],
    ["provider", each.providerName],
  ] as const) {
    const found = pact[side];
    if (isObject(found) && found["name"] !== undefined && found["name"] !== expected)
      throw bad(
        `${side}Name`,
        `${side} name in contract content (${JSON.stringify(found["name"])}) does not match ${side}Name ('${expected}')`,
      );
  }
  return {
    consumer: each.consumerName,
    provider: each.providerName,
    pact,
    onConflict: each.onConflict === "merge" ? "merge" : "refuse",
  };
}

/** The pact, or why it is none. */
function pactIn(content: string): JsonObject | string {
  const parsed = jsonIn(Buffer.from(content, "base64"));
  if ("fault" in parsed) return parsed.fault;
  return isObject(parsed.value) ? parsed.value : "must be a JSON object";
}

function publishAnswer(
  { pacticipant, version, branch, tags }: ToPublish,
  { versionMade, published }: PublishResult,
  links: Links,
) {
  const labels = [
    ...(branch === undefined ? [] : [`branch ${branch}`]),
    ...(tags.length > 0 ? [`tags ${tags.join(", ")}`] : []),
  ];
  const made = `${versionMade ? "Created" : "Updated"} ${pacticipant} version ${version}${labels.length > 0 ? ` with ${labels.join(" and ")}` : ""}`;
  const notices = [{ type: "debug", text: made }, ...published.flatMap((each) => noticesOf(each, version, links))];
  return {
    notices,
    logs: notices.map(({ type, text: message }) => ({
      level: type,
      message,
      deprecationWarning: "Replaced by notices",
    })),
    _embedded: {
      pacticipant: { name: pacticipant, _links: { self: links.pacticipant(pacticipant) } },
      version: { number: version, _links: { self: links.version(pacticipant, version) } },
    },
    _links: {
      "pb:pacticipant": links.pacticipant(pacticipant),
      "pb:pacticipant-version": links.version(pacticipant, version),
      "pb:pacticipant-version-tags": tags.map((tag) => links.tag(pacticipant, version, tag)),
      "pb:contracts": published.map(({ consumer, provider }) => links.pact({ consumer, provider, number: version })),
    },
  };
}

function noticesOf({ consumer, provider, was, again, unverified }: Published, version: string, links: Links) {
  const { href } = links.pact({ consumer, provider, number: version });
  const changed =
    was === "same"
      ? "the content is the same as before"
      : was === "first"
        ? "the first between the two"
        : "the content changed";
  return [
    {
      type: "success",
      text: `Pact ${again ? "re-" : "successfully "}published for ${consumer} version ${version} and provider ${provider} (${changed}).`,
    },
    { type: "debug", text: `  View the published pact at ${href}` },
    ...(unverified
      ? [
          {
            type: "prompt",
            text: `  Next: ${provider} has to verify it, before ${consumer} ${version} may be deployed`,
          },
        ]
      : []),
  ];
}

import { isRefusedQuestion } from "../ask.ts";
import type { Asked } from "../ask.ts";
import type { Row as MatrixRow } from "../core/matrix.ts";
import { parseMatrixQuery } from "../core/matrix-query.ts";
import type { Query } from "../core/matrix.ts";
import { isWarning, type Judgement, reasonText } from "../core/verdict.ts";
import type { Version } from "../core/world.ts";
import { type Answer, type Call, fail, ok, reads, type Row } from "./call.ts";
import type { Links } from "./links.ts";

export type Ask = (query: Query) => Promise<Asked | { faults: string[] }>;

export function matrixRows(ask: Ask): Row[] {
  const answer = async (query: Query, call: Call): Promise<Answer> => {
    const asked = await ask(query);
    return isRefusedQuestion(asked) ? fail(400, asked.faults) : ok(matrixResource(asked, query, call.links));
  };

  const canIDeploy = (call: Call): Promise<Answer> | Answer => {
    const query = new URLSearchParams(call.search);
    const pacticipant = call.params["pacticipant"] ?? query.get("pacticipant");
    const version = query.get("version");
    const { branch, tag } = call.params;
    const [environment, to] = [
      call.params["environment"] ?? query.get("environment"),
      call.params["to"] ?? query.get("to"),
    ];
    if (!pacticipant) return fail(400, { pacticipant: ["is missing"] });
    if (!version && branch === undefined && tag === undefined) return fail(400, { version: ["is missing"] });
    if (environment && to) return fail(400, ["Cannot specify both to and environment"]);
    const of =
      branch === undefined ? (tag === undefined ? { version: version ?? "" } : { tag, latest: true }) : { branch };
    const target = environment ? { environment } : to ? { tag: to, latest: true } : { latest: true };
    return answer({ selectors: [{ pacticipant, ...of }], target, latestBy: "cvpv", ignore: [] }, call);
  };

  return [
    {
      path: "/matrix",
      methods: {
        GET: reads((call) => {
          const parsed = parseMatrixQuery(call.search);
          return "faults" in parsed ? fail(400, parsed.faults) : answer(parsed.query, call);
        }),
      },
    },
    { path: "/can-i-deploy", methods: { GET: reads(canIDeploy) } },
    { path: "/pacticipants/:pacticipant/latest-version/:tag/can-i-deploy/to/:to", methods: { GET: reads(canIDeploy) } },
    {
      path: "/pacticipants/:pacticipant/branches/:branch/latest-version/can-i-deploy/to-environment/:environment",
      methods: { GET: reads(canIDeploy) },
    },
  ];
}

const deployable = { yes: true, no: false, unknown: null } as const;

function matrixResource({ matrix, judgement }: Asked, query: Query, links: Links) {
  const { counts, verdict, reasons } = judgement;
  return {
    summary: {
      deployable: deployable[verdict],
      reason: reasons.map(reasonText).join("\n"),
      ...{ success: counts.success, failed: counts.failed, unknown: counts.unknown },
      ...(query.ignore.length > 0 ? { ignored: counts.ignored } : {}),
    },
    notices: noticesOf(judgement),
    matrix: matrix.rows.map((row) => rowResource(row, links)),
  };
}

function noticesOf({ verdict, reasons }: Judgement) {
  return reasons.map((reason) => {
    const type = isWarning(reason) || reason.ignored ? "warning" : verdict === "yes" ? "success" : "error";
    return { type, text: reasonText(reason) };
  });
}

function rowResource({ publication, consumer, provider, verification, ignored }: MatrixRow, links: Links) {
  const { sha } = publication;
  const pair = { consumer: publication.consumer, provider: publication.provider };
  return {
    consumer: {
      name: pair.consumer,
      version: versionResource(consumer, links),
      _links: { self: links.pacticipant(pair.consumer) },
    },
    provider: {
      name: pair.provider,
      version: provider ? versionResource(provider, links) : null,
      _links: { self: links.pacticipant(pair.provider) },
    },
    pact: { createdAt: publication.createdAt, _links: { self: links.pact({ ...pair, number: consumer.number }) } },
    verificationResult: verification
      ? {
          success: verification.success,
          verifiedAt: verification.createdAt,
          _links: { self: { href: `${links.content({ ...pair, sha })}/verification-results/${verification.number}` } },
        }
      : null,
    ...(ignored ? { ignored } : {}),
  };
}

function versionResource({ pacticipant, number, branches, tags, deployed, released }: Version, links: Links) {
  return {
    number,
    ...(branches[0] === undefined ? {} : { branch: branches[0] }),
    branches: branches.map((name) => ({ name, _links: { self: links.branch(pacticipant, name) } })),
    branchVersions: branches.map((name) => ({
      ...{
        name,
        _links: { self: { href: links.to("pacticipants", pacticipant, "branches", name, "versions", number) } },
      },
    })),
    environments: [...new Set([...deployed, ...released])].map((name) => ({ name })),
    tags: tags.map((name) => ({ name, _links: { self: links.tag(pacticipant, number, name) } })),
    _links: { self: links.version(pacticipant, number) },
  };
}

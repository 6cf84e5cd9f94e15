import { z } from "zod";
import type { PacticipantChange, PacticipantRow } from "../pacticipant-store.ts";
import type { ContractStore } from "../store.ts";
import { bodyOf, name, text } from "./body.ts";
import {
  type Answer,
  type Call,
  changes,
  created,
  fail,
  gone,
  manages,
  notFound,
  ok,
  reads,
  type Row,
} from "./call.ts";
import type { Links } from "./links.ts";

const given = z.object({
  name: name.optional(),
  displayName: text.nullish(),
  repositoryUrl: text.nullish(),
  mainBranch: name.nullish(),
});

export function pacticipantRows({ pacticipants }: Pick<ContractStore, "pacticipants">): Row[] {
  const found = async ({ links, params: { pacticipant = "" } }: Call): Promise<Answer> => {
    const row = await pacticipants.byName(pacticipant);
    return row ? ok(resource(row, links)) : notFound(`The pacticipant ${pacticipant}`);
  };

  async function put(call: Call): Promise<Answer> {
    const { pacticipant = "" } = call.params;
    const change = changeOf(bodyOf(call, given));
    const made = (await pacticipants.byName(pacticipant)) === undefined;
    await pacticipants.ensure(pacticipant);
    await pacticipants.change(pacticipant, change);
    return { ...(await found(call)), status: made ? 201 : 200 };
  }

  async function post(call: Call): Promise<Answer> {
    const { name: pacticipant, ...rest } = bodyOf(call, given);
    if (pacticipant === undefined) return fail(400, { name: ["can't be blank"] });
    if (await pacticipants.byName(pacticipant)) return fail(409, { name: [`${pacticipant} is there already`] });
    await pacticipants.ensure(pacticipant);
    await pacticipants.change(pacticipant, changeOf(rest));
    const row = await pacticipants.byName(pacticipant);
    return created(row && resource(row, call.links), call.links.pacticipant(pacticipant).href);
  }

  async function patch(call: Call): Promise<Answer> {
    const { pacticipant = "" } = call.params;
    await pacticipants.change(pacticipant, changeOf(bodyOf(call, given)));
    return found(call);
  }

  const list = async ({ links, self }: Call, labelled?: string): Promise<Answer> => {
    const rows = (await pacticipants.list()).filter(
      ({ labels }) => labelled === undefined || labels.includes(labelled),
    );
    const all = rows.map((row) => resource(row, links));
    return ok({
      _embedded: { pacticipants: all },
      pacticipants: all,
      _links: {
        self: { href: self },
        pacticipants: rows.map(({ name: each }) => links.pacticipant(each)),
        "pb:pacticipants": rows.map(({ name: each }) => links.pacticipant(each)),
      },
    });
  };

  return [
    { path: "/pacticipants", methods: { GET: reads((call) => list(call)), POST: changes(post) } },
    { path: "/pacticipants/label/:label", methods: { GET: reads((call) => list(call, call.params["label"])) } },
    {
      path: "/pacticipants/:pacticipant",
      methods: {
        ...{ GET: reads(found), PUT: changes(put), PATCH: changes(patch) },
        DELETE: manages(async ({ params: { pacticipant = "" } }) =>
          (await pacticipants.remove(pacticipant)) ? gone : notFound(`The pacticipant ${pacticipant}`),
        ),
      },
    },
    labelRow(pacticipants),
  ];
}

function labelRow(pacticipants: ContractStore["pacticipants"]): Row {
  const label = async (call: Call, on: boolean): Promise<Answer> => {
    const { pacticipant = "", label: text = "" } = call.params;
    const changed = await pacticipants.setLabel(pacticipant, text, on);
    if (!changed) return notFound(`The pacticipant ${pacticipant}${on ? "" : ` with label ${text}`}`);
    return on ? created({ name: text, _links: { self: { href: call.self } } }, call.self) : gone;
  };

  return {
    path: "/pacticipants/:pacticipant/labels/:label",
    methods: {
      PUT: changes((call) => label(call, true)),
      DELETE: manages((call) => label(call, false)),
      GET: reads(async ({ self, params: { pacticipant = "", label: wanted = "" } }) => {
        const row = await pacticipants.byName(pacticipant);
        if (!row?.labels.includes(wanted)) return notFound(`The pacticipant ${pacticipant} with label ${wanted}`);
        return ok({ name: wanted, _links: { self: { href: self } } });
      }),
    },
  };
}

function changeOf({ displayName, repositoryUrl, mainBranch }: z.output<typeof given>): PacticipantChange {
  return {
    ...(displayName === undefined ? {} : { display_name: displayName }),
    ...(repositoryUrl === undefined ? {} : { repository_url: repositoryUrl }),
    ...(mainBranch === undefined ? {} : { main_branch: mainBranch }),
  };
}

function resource(row: PacticipantRow, links: Links) {
  const { href } = links.pacticipant(row.name);
  return {
    name: row.name,
    displayName: row.display_name ?? row.name,
    ...(row.repository_url === null ? {} : { repositoryUrl: row.repository_url }),
    ...(row.main_branch === null ? {} : { mainBranch: row.main_branch }),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    _embedded: {
      labels: row.labels.map((label) => ({
        name: label,
        _links: { self: { href: `${href}/labels/${encodeURIComponent(label)}` } },
      })),
    },
    _links: {
      self: { href, title: "Pacticipant", name: row.name },
      "pb:versions": { href: `${href}/versions` },
      "pb:version": { href: `${href}/versions/{version}`, templated: true },
      "pb:version-tag": { href: `${href}/versions/{version}/tags/{tag}`, templated: true },
      "pb:branch-version": { href: `${href}/branches/{branch}/versions/{version}`, templated: true },
      "pb:branches": { href: `${href}/branches` },
      "pb:latest-version": { href: `${href}/latest-version` },
      "pb:label": { href: `${href}/labels/{label}`, templated: true },
    },
  };
}

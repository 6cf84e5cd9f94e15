/** Where every client begins: the links to all else. */
import { ok, type Row, reads } from "./call.ts";
import type { Link, Links } from "./links.ts";

const templates = {
  "pb:pacticipant": "/pacticipants/{pacticipant}",
  "pb:pacticipants-with-label": "/pacticipants/label/{label}",
  "pb:pacticipant-version": "/pacticipants/{pacticipant}/versions/{version}",
  "pb:pacticipant-version-tag": "/pacticipants/{pacticipant}/versions/{version}/tags/{tag}",
  "pb:pacticipant-branch": "/pacticipants/{pacticipant}/branches/{branch}",
  "pb:pacticipant-branch-version": "/pacticipants/{pacticipant}/branches/{branch}/versions/{version}",
  "pb:latest-version": "/pacticipants/{pacticipant}/latest-version",
  "pb:latest-tagged-version": "/pacticipants/{pacticipant}/latest-version/{tag}",
  "pb:latest-branch-version": "/pacticipants/{pacticipant}/branches/{branch}/latest-version",
  "pb:publish-pact": "/pacts/provider/{provider}/consumer/{consumer}/version/{consumerApplicationVersion}",
  "pb:latest-provider-pacts": "/pacts/provider/{provider}/latest",
  "pb:latest-provider-pacts-with-tag": "/pacts/provider/{provider}/latest/{tag}",
  "pb:provider-pacts": "/pacts/provider/{provider}",
  "pb:provider-pacts-with-tag": "/pacts/provider/{provider}/tag/{tag}",
  "pb:provider-pacts-with-branch": "/pacts/provider/{provider}/branch/{branch}",
  "pb:latest-provider-pacts-with-branch": "/pacts/provider/{provider}/branch/{branch}/latest",
  "pb:provider-pacts-with-main-branch": "/pacts/provider/{provider}/branch",
  "pb:latest-provider-pacts-with-main-branch": "/pacts/provider/{provider}/branch/latest",
  "pb:provider-pacts-for-verification": "/pacts/provider/{provider}/for-verification",
  "beta:provider-pacts-for-verification": "/pacts/provider/{provider}/for-verification",
  "pb:environment": "/environments/{uuid}",
  "pb:webhook": "/webhooks/{uuid}",
  "pb:can-i-deploy-pacticipant-version-to-tag": "/can-i-deploy?pacticipant={pacticipant}&version={version}&to={tag}",
  "pb:can-i-deploy-pacticipant-version-to-environment":
    "/can-i-deploy?pacticipant={pacticipant}&version={version}&environment={environment}",
};

export const indexRows: Row[] = [
  { path: "/", methods: { GET: reads(({ links }) => ok({ _links: indexLinks(links) })) } },
  {
    path: "/diagnostic/status/heartbeat",
    methods: { GET: reads(({ self }) => ok({ ok: true, _links: { self: { href: self } } })) },
  },
];

function indexLinks(links: Links): Record<string, Link | Link[]> {
  const templated = Object.entries(templates).map(([rel, path]): [string, Link] => [rel, links.template(path)]);
  return {
    self: { href: links.base, title: "Index" },
    "pb:publish-contracts": { href: links.to("contracts", "publish"), title: "Publish contracts" },
    "pb:latest-pact-versions": { href: links.to("pacts", "latest"), title: "Latest pact of each integration" },
    "pb:pacticipants": { href: links.to("pacticipants"), title: "Pacticipants" },
    "pb:environments": { href: links.to("environments"), title: "Environments" },
    "pb:webhooks": { href: links.to("webhooks"), title: "Webhooks" },
    "pb:integrations": { href: links.to("integrations"), title: "Integrations" },
    ...Object.fromEntries(templated),
    curies: [{ name: "pb", href: "https://docs.pact.io/pact_broker/api#{rel}", templated: true }],
  };
}

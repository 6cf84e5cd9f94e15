import { Anchor, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { type Output, Refused } from "../api/call.ts";
import { read } from "../api/read.ts";
import { Commits } from "../parts/commits.tsx";
import { Copy } from "../parts/copy.tsx";
import { Section } from "../parts/section.tsx";
import { sizeIn } from "../parts/size.ts";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { Tile } from "../parts/tile.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { Changes } from "./changes.tsx";
import { Layers } from "./layers.tsx";
import { firstPackages, Packages } from "./packages.tsx";
import { Trust } from "./trust.tsx";

/** What a release is made of, where it is from, and whether its signature holds. */
export function ReleasePage() {
  const { service, number } = useParams({ from: "/services/$service/releases/$number" });
  const release = useQuery(read("showRelease", { params: { service, number } }));
  if (release.isPending) return <Loading what="the release" />;
  if (release.error instanceof Refused && release.error.code === "release.none")
    return (
      <Empty title={`There is no release ${number} of ${service}`}>
        <Link to="/services/$service" params={{ service }}>
          See the releases of {service}
        </Link>
      </Empty>
    );
  if (release.error) return <Failed what="The release" error={release.error} again={() => void release.refetch()} />;
  const { retiredAt, commits, previous } = release.data;
  return (
    <Stack gap="xl">
      <Head release={release.data} />
      {retiredAt ? (
        <Empty title="Its image is not kept any more">
          It went <TimeAgo at={retiredAt} />, and what was attested of it went with it. It cannot be deployed; build its
          commit again to have it back.
        </Empty>
      ) : (
        <>
          <Trust service={service} number={number} />
          <Image service={service} number={number} />
        </>
      )}
      <Section title="Commits" about={previous === null ? "It is the first release." : `Since release ${previous}.`}>
        {commits.length === 0 ? (
          <Text size="sm" c="dimmed">
            None.
          </Text>
        ) : (
          <Commits commits={commits} most={20} />
        )}
      </Section>
    </Stack>
  );
}

function Head({ release }: { release: Output<"showRelease"> }) {
  const { service, number, repository, commit, digest, createdAt, pullRequest } = release;
  return (
    <div>
      <Title order={1} size="h3">
        <Anchor
          inherit
          underline="always"
          renderRoot={(props) => <Link to="/services/$service" params={{ service }} {...props} />}
        >
          {service}
        </Anchor>{" "}
        release {number}
      </Title>
      <Text size="sm" c="dimmed" mt={4}>
        {repository} at <Copy value={commit} shown={commit.slice(0, 8)} what="commit" /> · made{" "}
        <TimeAgo at={createdAt} />
        {pullRequest !== null && ` · for pull request ${pullRequest} alone`}
      </Text>
      <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        digest <Copy value={digest} what="digest" />
      </Text>
    </div>
  );
}

function Image({ service, number }: { service: string; number: string }) {
  const image = useQuery(read("showReleaseImage", { params: { service, number }, query: firstPackages }));
  if (image.isPending) return <Loading what="the image" />;
  if (image.error) return <Failed what="The image" error={image.error} again={() => void image.refetch()} />;
  const { size, layers, packageCount, platform, changes, previous, attestation } = image.data;
  return (
    <>
      <SimpleGrid cols={{ base: 2, sm: 4 }}>
        <Tile name="Image" value={sizeIn(size)} />
        <Tile name="Layers" value={String(layers.length)} />
        <Tile name="Packages" value={packageCount === null ? "not known" : String(packageCount)} />
        <Tile name="Platform" value={platform ?? "not said"} />
      </SimpleGrid>
      <Changes changes={changes} previous={previous} />
      <Packages {...{ service, number, count: packageCount }} waiting={attestation.state === "waiting"} />
      <Layers layers={layers} size={size} />
    </>
  );
}

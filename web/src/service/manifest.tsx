import { SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { read } from "../api/read.ts";
import { ColoredCode } from "../parts/colored-code.tsx";
import { Section } from "../parts/section.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";

/** The service's file beside what was read of it. */
export function Manifest({ name }: { name: string }) {
  const service = useQuery(read("showService", { params: { service: name } }));
  if (!service.data) return null;
  const { folder, repository, commit, manifest, manifestText, goneAt } = service.data;
  const path = `${folder ? `${folder}/` : ""}towline.yml`;
  return (
    <Section title="Manifest" about={`${path} of ${repository} at commit ${commit.slice(0, 8)}.`}>
      {goneAt && (
        <Text size="sm" mb="xs">
          Its repository describes it no more since <TimeAgo at={goneAt} />; what runs goes on.
        </Text>
      )}
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl">
        <Stack gap={6}>
          <Text size="sm" fw={600}>
            As written
          </Text>
          {manifestText === null ? (
            <Text size="sm" c="dimmed">
              The repository does not have this commit any more: its history was written anew. What was read of the file
              is beside.
            </Text>
          ) : (
            <ColoredCode name={path} text={manifestText} language="yaml" />
          )}
        </Stack>
        <Stack gap={6}>
          <Text size="sm" fw={600}>
            As read, every default filled in
          </Text>
          <ColoredCode name="What was read" text={JSON.stringify(manifest, undefined, 2)} language="json" />
        </Stack>
      </SimpleGrid>
    </Section>
  );
}

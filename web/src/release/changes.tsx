import { Table, Text } from "@mantine/core";
import type { Output } from "../api/call.ts";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { StateSign } from "../parts/state-sign.tsx";

type Props = Pick<Output<"showReleaseImage">, "changes" | "previous">;

const most = 100;

/** What differs in the packages since the release before. */
export function Changes({ changes, previous }: Props) {
  return (
    <Section
      title="What changed in its packages"
      {...(previous === null ? {} : { about: `Since release ${previous}.` })}
    >
      {changes ? (
        <Listed changes={changes} />
      ) : (
        <Text size="sm" c="dimmed">
          {previous === null
            ? "It is the first release: there is none to compare it with."
            : `Not known: this release or release ${previous} has no signed list of packages.`}
        </Text>
      )}
    </Section>
  );
}

function Listed({ changes }: { changes: NonNullable<Props["changes"]> }) {
  const { counts } = changes;
  const all = counts.added + counts.removed + counts.changed;
  if (all === 0)
    return (
      <Text size="sm" c="dimmed">
        Nothing: it has the same packages in the same versions.
      </Text>
    );
  const rows = [
    ...changes.changed.map(({ from, to, ...rest }) => ({
      ...rest,
      tone: "soft" as const,
      word: "changed",
      version: `${from} → ${to}`,
    })),
    ...changes.added.map((each) => ({ ...each, tone: "good" as const, word: "added" })),
    ...changes.removed.map((each) => ({ ...each, tone: "none" as const, word: "removed" })),
  ].slice(0, most);
  return (
    <>
      <Text size="sm">
        {counts.changed} changed, {counts.added} added, {counts.removed} removed
        {rows.length < all && `; the first ${rows.length} are shown`}
      </Text>
      <Rows name="Changed packages" columns={["Package", "What", "Version", "Kind"]}>
        {rows.map(({ tone, word, type, name, version }) => (
          <Table.Tr key={`${word} ${type} ${name} ${version}`}>
            <Table.Th scope="row">{name}</Table.Th>
            <Table.Td>
              <StateSign tone={tone}>{word}</StateSign>
            </Table.Td>
            <Table.Td>{version}</Table.Td>
            <Table.Td>{type}</Table.Td>
          </Table.Tr>
        ))}
      </Rows>
    </>
  );
}

import { Button, Center, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { read } from "../api/read.ts";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { Failed, Loading } from "../parts/states.tsx";

interface Props {
  service: string;
  number: string;
  /** Null while there is no signed list. */
  count: number | null;
  waiting: boolean;
}

/** What is asked for at first; the page asks in the same words for the rest of the image, so that one answer serves both. */
export const firstPackages = { limit: 50 };
/** So many are drawn at most. */
const most = 1000;

/** What is in the image, with licences. */
export function Packages({ service, number, count, waiting }: Props) {
  const { find = "" } = useSearch({ from: "/services/$service/releases/$number" });
  const navigate = useNavigate({ from: "/services/$service/releases/$number" });
  const change = (text: string) => void navigate({ search: text ? { find: text } : {}, replace: true });
  return (
    <Section
      title="Packages"
      about="Of the signed list: system packages, npm, pip and gem, with their licences."
      actions={
        count !== null &&
        count > 0 && (
          <TextInput
            size="xs"
            w={220}
            type="search"
            aria-label="Find a package"
            placeholder="Name, version or licence"
            maxLength={200}
            value={find}
            onChange={({ currentTarget }) => change(currentTarget.value)}
          />
        )
      }
    >
      {count === null || count === 0 ? (
        <Text size="sm" c="dimmed">
          {count === 0
            ? "None: no package manager left anything in the image."
            : waiting
              ? "The image is being read; they are shown when it is done."
              : "Not known: there is no signed list of packages. Above is why."}
        </Text>
      ) : (
        <Found service={service} number={number} find={find} />
      )}
    </Section>
  );
}

function Found({ service, number, find }: Pick<Props, "service" | "number"> & { find: string }) {
  const [asked] = useDebouncedValue(find.trim(), 200);
  const [limit, setLimit] = useState(firstPackages.limit);
  const query = { limit, ...(asked ? { find: asked } : {}) };
  const shown = useQuery({
    ...read("showReleaseImage", { params: { service, number }, query }),
    placeholderData: keepPreviousData,
  });
  if (shown.isPending) return <Loading what="the packages" />;
  if (shown.error) return <Failed what="The packages" error={shown.error} again={() => void shown.refetch()} />;
  const { packages, found } = shown.data;
  return (
    <>
      <Text size="sm" c="dimmed" role="status">
        {found === 0
          ? `No package has “${asked}” in its name, version, kind or licence.`
          : packages.length < found
            ? `The first ${packages.length} of ${found}`
            : `${found} in all`}
      </Text>
      {found > 0 && (
        <Rows name="Packages" columns={["Package", "Version", "Licence", "Kind"]}>
          {packages.map(({ purl, type, name, version, licences }) => (
            <Table.Tr key={purl}>
              <Table.Th scope="row">{name}</Table.Th>
              <Table.Td>{version}</Table.Td>
              <Table.Td>{licences.length > 0 ? licences.join(", ") : "not known"}</Table.Td>
              <Table.Td>{type}</Table.Td>
            </Table.Tr>
          ))}
        </Rows>
      )}
      {packages.length < found &&
        (limit < most ? (
          <Center mt="sm">
            <Button variant="default" loading={shown.isFetching} onClick={() => setLimit(most)}>
              Show {Math.min(found, most)}
            </Button>
          </Center>
        ) : (
          <Text size="sm" c="dimmed" ta="center">
            Find the others by their name.
          </Text>
        ))}
    </>
  );
}

import { Code, Progress, Table } from "@mantine/core";
import type { Output } from "../api/call.ts";
import { Copy } from "../parts/copy.tsx";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { sizeIn } from "../parts/size.ts";

/** From the lowest to the highest. */
export function Layers({ layers, size }: Pick<Output<"showReleaseImage">, "layers" | "size">) {
  return (
    <Section title="Layers" about={`${sizeIn(size)} in all, as it is transferred; the lowest first.`}>
      <Rows name="Layers" columns={["Layer", "Size", "Share", "Made by"]} minWidth={640}>
        {layers.map(({ digest, size: own, createdBy }, index) => (
          // An image may have the same layer twice.
          <Table.Tr key={`${index} ${digest}`}>
            <Table.Th scope="row" fw={400}>
              <Copy value={digest} shown={digest.slice(7, 19)} what="digest of the layer" />
            </Table.Th>
            <Table.Td style={{ whiteSpace: "nowrap" }}>{sizeIn(own)}</Table.Td>
            <Table.Td>
              <Progress
                w={96}
                value={size === 0 ? 0 : (100 * own) / size}
                aria-label={`Share of layer ${index + 1} in the image`}
              />
            </Table.Td>
            <Table.Td style={{ overflowWrap: "anywhere" }}>
              {createdBy === null ? "not said" : <Code>{createdBy}</Code>}
            </Table.Td>
          </Table.Tr>
        ))}
      </Rows>
    </Section>
  );
}

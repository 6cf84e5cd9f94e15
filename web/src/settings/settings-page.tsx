import { Stack, Tabs, Title } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { Agents } from "./agents.tsx";
import { Health } from "./health.tsx";
import { People } from "./people.tsx";
import { type SettingsSearch, type SettingsView, settingsViews } from "./settings-search.ts";
import { Storage } from "./storage.tsx";
import { You } from "./you.tsx";

const panels: Record<SettingsView, { name: string; Panel: ComponentType }> = {
  you: { name: "You", Panel: You },
  people: { name: "People", Panel: People },
  agents: { name: "Agents", Panel: Agents },
  storage: { name: "Storage", Panel: Storage },
  health: { name: "Health", Panel: Health },
};

/** Who may come in, who works, what is kept, and how the platform does. */
export function SettingsPage() {
  const { view = "you" }: SettingsSearch = useSearch({ from: "/settings" });
  const navigate = useNavigate({ from: "/settings" });
  const { Panel } = panels[view];
  return (
    <Stack>
      <Title order={1} size="h3">
        Settings
      </Title>
      <Tabs
        value={view}
        keepMounted={false}
        onChange={(value) => {
          const next = settingsViews.find((each) => each === value);
          void navigate({ search: next ? { view: next } : {}, replace: true });
        }}
      >
        <Tabs.List mb="lg" style={{ flexWrap: "nowrap" }}>
          {settingsViews.map((each) => (
            <Tabs.Tab key={each} value={each} px={{ base: 8, sm: "md" }}>
              {panels[each].name}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={view}>
          <Panel />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./main.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { untilReached } from "./api/until-reached.ts";
import { createAppRouter } from "./router.tsx";
import { readable, theme } from "./theme.ts";

const queries = new QueryClient({
  defaultOptions: {
    // The server may be this very machine, which needs no network.
    mutations: { networkMode: "always" },
    queries: {
      networkMode: "always",
      // The stream tells what is out of date; nothing is read anew only because time has passed.
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      ...untilReached,
    },
  },
});

const root = document.querySelector("#root");
if (!root) throw new Error("the page has no root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={readable} defaultColorScheme="auto">
      <Notifications position="bottom-right" />
      <QueryClientProvider client={queries}>
        <RouterProvider router={createAppRouter()} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  // Whatever could be written into the page would need a rule that lets it run: everything is a file of its own.
  build: {
    ...{ assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: "es2023", chunkSizeWarningLimit: 1_000 },
    // What the first page needs comes as one file: thirty small ones wait for each other on six connections.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "first", tags: ["$initial"] }] } } },
    // Forty kilobytes more at first: styles that a cut network keeps from coming with their page would never be asked for again.
    cssCodeSplit: false,
    // The first that know `light-dark()`, which is rewritten for older ones into what does not see the library's choice of scheme.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
  },
});

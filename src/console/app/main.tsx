/** Where the console begins. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import "../style/base.css";
import { systemClock } from "../../time/clock.ts";
import { live } from "../api/live-state.ts";
import { watchResources } from "../api/watch.ts";
import { signInByCode } from "../api/sign-in-code.ts";
import { keepTokenOfAddress } from "../api/token.ts";
import { applyTheme, storedTheme } from "../layout/theme.ts";
import { createQueryClient } from "./query-client.ts";
import { createConsoleRouter } from "./router.ts";

keepTokenOfAddress(window);
await signInByCode(window);
applyTheme(storedTheme());
const queryClient = createQueryClient();
const started = new AbortController();
void watchResources(
  {
    queryClient,
    live,
    clock: systemClock,
    random: Math.random,
    visibility: {
      get isVisible() {
        return document.visibilityState === "visible";
      },
      follow: (listener, signal) =>
        document.addEventListener("visibilitychange", listener, { signal }),
    },
  },
  started.signal,
);
const router = createConsoleRouter();

const place = document.getElementById("console");
if (place === null) throw new Error("The page has no place for the console.");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);

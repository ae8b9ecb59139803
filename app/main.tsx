import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import "./design/base.css";

// Known when the app is built: outside of the demo build, the developer wallet and its keys are not in it at all.
const demo = import.meta.env.MODE === "demo" ? await import("./features/developer-wallet/index.tsx") : null;

const root = document.getElementById("root");
if (!root) throw new Error("The page has no root element");
createRoot(root).render(
  <StrictMode>
    <App startDemo={demo?.startDemo ?? null} />
  </StrictMode>,
);

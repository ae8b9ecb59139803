export { ReadingPage } from "./ReadingPage.tsx";
export { eventsOf, type Watching, watchAccess } from "./watch.ts";

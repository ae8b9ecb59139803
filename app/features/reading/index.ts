export { ReadingPage } from "./ReadingPage.tsx";

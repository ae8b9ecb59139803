export { BreakGlass } from "./BreakGlass.tsx";
export { EmergenciesOn } from "./EmergenciesOn.tsx";

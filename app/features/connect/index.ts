export { ConnectDialog } from "./ConnectDialog.tsx";
export { ConnectProvider } from "./ConnectProvider.tsx";
export { type Home, useHome } from "./home.ts";
export { NetworkNotice, useOnRightNetwork } from "./NetworkNotice.tsx";
export { SignInPanel } from "./SignInPanel.tsx";
export type { Session } from "./sessions.ts";
export { signIn } from "./signIn.ts";
export { useSessions, useSignedIn } from "./useSessions.ts";
export { isRejection, sentenceForError } from "./walletErrors.ts";

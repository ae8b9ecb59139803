export { ConnectDialog } from "./ConnectDialog.tsx";
export { ConnectProvider } from "./ConnectProvider.tsx";
export { type Home, hex, useHome } from "./home.ts";
export { NetworkNotice, useOnRightNetwork } from "./NetworkNotice.tsx";
export { SignInPanel } from "./SignInPanel.tsx";
export { renewalDue, renewedSession, type Session, Sessions } from "./sessions.ts";
export { messageOf, statementOf } from "./signIn.ts";
export { useSession, useSessions, useSignedIn } from "./useSession.ts";
export { isRejection, sentenceForError } from "./walletErrors.ts";

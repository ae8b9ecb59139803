import { Notice } from "../../design/index.ts";
import { isRejection, sentenceForError } from "./walletErrors.ts";

/** What a wallet, the chain or a gateway answered when it said no; the person's own no is no fault. */
export function WalletErrorNotice({ error }: { error: Error }) {
  const { title, way } = sentenceForError(error);
  return (
    <Notice kind={isRejection(error) ? "info" : "danger"} title={title}>
      {way}
    </Notice>
  );
}

import { Hospital, RefreshCw } from "lucide-react";
import { useState } from "react";
import type { Gateway } from "../../api/index.ts";
import { AddressTag, Button, Empty, Page, Spinner } from "../../design/index.ts";
import { purposeInWords, sentenceFor } from "../../words/index.ts";
import { useSignedIn } from "../connect/index.ts";
import s from "./CustodiansPage.module.css";
import { MISMATCH_WORDS, SignInDialog } from "./GatewayNotices.tsx";
import { type CustodianStatus, useCustodians } from "./useCustodians.ts";

/** Who holds images, and whether they can be asked now. */
export function CustodiansPage() {
  const { registry, custodians, retry } = useCustodians();
  const [signingIn, setSigningIn] = useState<Gateway | null>(null);
  return (
    <Page
      title="Custodians"
      lead="They hold the images; the images never leave them except to whom the patient named. This list comes from the registry on chain."
      actions={
        <Button icon={<RefreshCw aria-hidden="true" />} onClick={retry}>
          Check again
        </Button>
      }
    >
      {registry === "loading" && (
        <p className={s.waiting} role="status">
          <Spinner /> Reading the registry…
        </p>
      )}
      {registry !== "loading" && custodians.length === 0 && (
        <Empty
          picture={<Hospital />}
          title={registry === "failed" ? "The registry cannot be read" : "No custodian yet"}
        >
          {registry === "failed"
            ? "The network cannot be reached. Check your connection, then check again."
            : "Nobody is listed in the registry of this network."}
        </Empty>
      )}
      <ul className={s.list}>
        {custodians.map((custodian) => (
          <CustodianRow key={custodian.account} custodian={custodian} onSignIn={setSigningIn} />
        ))}
      </ul>
      {signingIn && <SignInDialog gateway={signingIn} onClose={() => setSigningIn(null)} />}
    </Page>
  );
}

function CustodianRow({
  custodian,
  onSignIn,
}: {
  custodian: CustodianStatus;
  onSignIn: (gateway: Gateway) => void;
}) {
  const sessionAt = useSignedIn();
  const gateway = custodian.state === "up" ? custodian.gateway : null;
  const session = gateway && sessionAt(gateway.base);
  return (
    <li className={s.row}>
      <span className={s.picture} aria-hidden="true">
        <Hospital />
      </span>
      <div className={s.words}>
        <h2 className={s.name}>{custodian.name}</h2>
        <p className={s.state} data-state={custodian.state}>
          {stateInWords(custodian)}
          {session && ` Signed in: ${purposeInWords(session.purpose).signIn.toLowerCase()}.`}
        </p>
        <p className={s.where}>
          {custodian.url} <AddressTag address={custodian.account} />
        </p>
      </div>
      {gateway && (
        <Button kind={session ? "secondary" : "primary"} onClick={() => onSignIn(gateway)}>
          {session ? "Change purpose" : `Sign in to ${custodian.name}`}
        </Button>
      )}
    </li>
  );
}

function stateInWords(custodian: CustodianStatus): string {
  switch (custodian.state) {
    case "checking":
      return "Asking its gateway…";
    case "up":
      return "Its gateway answers.";
    case "down":
      if (custodian.problem.reason === "gateway-unreachable") return "Its gateway does not answer.";
      return sentenceFor(custodian.problem).title;
    case "unusable":
      return `${MISMATCH_WORDS[custodian.mismatch]} It is not asked.`;
  }
}

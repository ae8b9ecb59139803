import { KeyRound } from "lucide-react";
import { useState } from "react";
import type { Gateway, Mismatch } from "../../api/index.ts";
import { Button, Dialog, Notice } from "../../design/index.ts";
import { sentenceFor } from "../../words/index.ts";
import { SignInPanel, useSignedIn } from "../connect/index.ts";
import s from "./GatewayNotices.module.css";
import { useCustodians } from "./useCustodians.ts";

/** Why a gateway that answers is not used. */
export const MISMATCH_WORDS: Record<Mismatch, string> = {
  "other-chain": "Its gateway stands on another network.",
  "other-ledger": "Its gateway follows another consent ledger.",
  "other-custodian": "Its gateway speaks for somebody else.",
  "other-address": "Its gateway calls itself by another address than the registry does.",
};

/** What is missing from the page, and why: custodians that are down, and those not signed in to yet. */
export function GatewayNotices() {
  const { registry, custodians, retry } = useCustodians();
  const sessionAt = useSignedIn();
  const [signingIn, setSigningIn] = useState<Gateway | null>(null);

  return (
    <div className={s.stack} aria-live="polite">
      {registry === "failed" && (
        <Notice
          kind="danger"
          title="The list of custodians cannot be read, since the network cannot be reached."
          actions={<Button onClick={retry}>Ask again</Button>}
        >
          Nothing is lost. Without the network, nothing is opened either.
        </Notice>
      )}
      {custodians.map((custodian) => {
        if (custodian.state === "down")
          return (
            <Notice
              key={custodian.account}
              kind="warn"
              title={`${custodian.name} cannot be reached.`}
              actions={<Button onClick={retry}>Ask again</Button>}
            >
              {custodian.problem.reason === "gateway-unreachable"
                ? "What it holds is missing here until it answers again."
                : sentenceFor(custodian.problem).title}
            </Notice>
          );
        if (custodian.state === "unusable")
          return (
            <Notice key={custodian.account} kind="danger" title={`${custodian.name} is not asked.`}>
              {MISMATCH_WORDS[custodian.mismatch]} What it holds is missing here.
            </Notice>
          );
        if (custodian.state === "up" && !sessionAt(custodian.gateway.base))
          return (
            <Notice
              key={custodian.account}
              title={`You are not signed in to ${custodian.name}.`}
              actions={
                <Button
                  kind="primary"
                  icon={<KeyRound aria-hidden="true" />}
                  onClick={() => setSigningIn(custodian.gateway)}
                >
                  Sign in to {custodian.name}
                </Button>
              }
            >
              What it holds is missing here until you are.
            </Notice>
          );
        return null;
      })}
      {signingIn && <SignInDialog gateway={signingIn} onClose={() => setSigningIn(null)} />}
    </div>
  );
}

/** Sign in to a further gateway, or to the same one for another purpose. */
export function SignInDialog({ gateway, onClose }: { gateway: Gateway; onClose: () => void }) {
  return (
    <Dialog title={`Sign in to ${gateway.name}`} onClose={onClose}>
      <SignInPanel gateway={gateway} onSignedIn={onClose} />
    </Dialog>
  );
}

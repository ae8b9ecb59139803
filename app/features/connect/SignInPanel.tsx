import { useMutation } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { useConfig, useConnection } from "wagmi";
import { signMessage } from "wagmi/actions";
import { PURPOSES, type Purpose } from "../../../protocol/terms.ts";
import type { Gateway } from "../../api/index.ts";
import { Button, Choice } from "../../design/index.ts";
import { purposeInWords, sameAddress, USUAL_SIGN_IN_PURPOSES } from "../../words/index.ts";
import { type Home, useHome } from "./home.ts";
import { NetworkNotice, useOnRightNetwork } from "./NetworkNotice.tsx";
import s from "./SignInPanel.module.css";
import { signIn, statementOf } from "./signIn.ts";
import { useSessions } from "./useSessions.ts";
import { WalletErrorNotice } from "./WalletErrorNotice.tsx";

interface SignInPanelProps {
  gateway: Gateway;
  onSignedIn?: () => void;
}

/** Sign in to one gateway: for which purpose, and what exactly the wallet is about to sign. */
export function SignInPanel({ gateway, onSignedIn }: SignInPanelProps) {
  const home = useHome();
  const config = useConfig();
  const sessions = useSessions();
  const { address, connector } = useConnection();
  const rightNetwork = useOnRightNetwork();
  const [chosen, setChosen] = useState<Purpose | null>(null);
  const purpose = chosen ?? likelyPurpose(home, address);

  const signing = useMutation({
    mutationFn: async () => {
      if (!address) throw new Error("No account is connected.");
      const sign = (message: string) => signMessage(config, { message, account: address, connector });
      const renewed = await signIn({ gateway, address, chainId: home.chainId, purpose }, sign);
      sessions.begin({ base: gateway.base, address, purpose }, renewed);
      rememberPurpose(purpose);
    },
    onSuccess: onSignedIn,
  });

  return (
    <div className={s.panel}>
      <NetworkNotice />
      <PurposeChoice purpose={purpose} onChange={setChosen} />
      <div className={s.signed}>
        <p className={s.signedTitle}>Your wallet will ask you to sign this:</p>
        <p>{statementOf({ gateway, purpose })}</p>
      </div>
      <div aria-live="polite">{signing.isError && <WalletErrorNotice error={signing.error} />}</div>
      <Button
        kind="primary"
        size="large"
        icon={<KeyRound aria-hidden="true" />}
        busy={signing.isPending}
        disabled={!rightNetwork}
        onClick={() => signing.mutate()}
      >
        {signing.isPending ? "Answer in your wallet…" : "Sign in"}
      </Button>
    </div>
  );
}

function PurposeChoice({ purpose, onChange }: { purpose: Purpose; onChange: (purpose: Purpose) => void }) {
  const usual: readonly Purpose[] = USUAL_SIGN_IN_PURPOSES;
  const others = PURPOSES.filter((other) => !usual.includes(other));
  const choice = (option: Purpose) => (
    <Choice
      key={option}
      type="radio"
      name="purpose"
      label={purposeInWords(option).signIn}
      checked={purpose === option}
      onChange={() => onChange(option)}
    />
  );
  return (
    <fieldset className={s.purposes}>
      <legend className={s.legend}>What are you here for?</legend>
      <p className={s.hint}>
        Exams that others shared with you open only for the purpose they were shared for. Your own are always
        open to you.
      </p>
      {usual.map(choice)}
      <details className={s.more} open={others.includes(purpose)}>
        <summary>Other purposes</summary>
        <div className={s.purposes}>{others.map(choice)}</div>
      </details>
    </fieldset>
  );
}

const LAST_PURPOSE = "examkey.purpose";

/** The purpose that is ticked at first: the last one used, else what suits a demo persona, else one's own exams. */
function likelyPurpose(home: Home, address: string | undefined): Purpose {
  const persona = home.discovery.personas?.find(
    (known) => address !== undefined && sameAddress(known.address, address),
  );
  if (persona) return persona.kind === "patient" ? "PATRQT" : "TREAT";
  const last = window.localStorage.getItem(LAST_PURPOSE);
  return PURPOSES.find((purpose) => purpose === last) ?? "PATRQT";
}

function rememberPurpose(purpose: Purpose): void {
  window.localStorage.setItem(LAST_PURPOSE, purpose);
}

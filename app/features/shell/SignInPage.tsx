import { Hospital } from "lucide-react";
import { useConnection } from "wagmi";
import { Empty, Page, Spinner } from "../../design/index.ts";
import { sameAddress } from "../../words/index.ts";
import { SignInPanel, useHome } from "../connect/index.ts";
import { GatewayNotices, useCustodians } from "../gateways/index.ts";
import s from "./SignInPage.module.css";

/** Connected, but signed in nowhere yet: the custodian that serves the app comes first. */
export function SignInPage() {
  const home = useHome();
  const { address } = useConnection();
  const { registry, custodians } = useCustodians();
  const up = custodians.flatMap((custodian) => (custodian.state === "up" ? [custodian.gateway] : []));
  const first = up.find(({ custodian }) => sameAddress(custodian, home.discovery.custodian)) ?? up[0];
  const waiting = registry === "loading" || custodians.some(({ state }) => state === "checking");

  if (first) {
    return (
      <div className={s.narrow}>
        <Page
          title={`Sign in to ${first.name}`}
          lead="One signature with your wallet proves that it is you. It costs nothing."
        >
          <SignInPanel key={address} gateway={first} />
        </Page>
      </div>
    );
  }
  if (waiting) {
    return (
      <p className={s.waiting} role="status">
        <Spinner /> Asking who holds exams…
      </p>
    );
  }
  return (
    <Page title="Sign in">
      <GatewayNotices />
      {registry === "ready" && custodians.length === 0 && (
        <Empty picture={<Hospital />} title="No custodian yet">
          Nobody is listed in the registry of this network, so there is nowhere to sign in.
        </Empty>
      )}
    </Page>
  );
}

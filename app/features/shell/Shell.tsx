import { useQueryClient } from "@tanstack/react-query";
import { Compass } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { useConnection } from "wagmi";
import { Redirect, Route, Switch } from "wouter";
import { Empty, Page, Spinner } from "../../design/index.ts";
import { NetworkNotice, useSignedIn } from "../connect/index.ts";
import { MyExamsPage, useMe } from "../exams/index.ts";
import { CustodiansPage, useCustodians } from "../gateways/index.ts";
import { ReadingPage } from "../reading/index.ts";
import { SharedPage } from "../shared/index.ts";
import { WelcomePage } from "../welcome/index.ts";
import { Header } from "./Header.tsx";
import s from "./Shell.module.css";
import { SignInPage } from "./SignInPage.tsx";

/** The frame around every page, and which page it is: welcome, sign in, or where the address leads. */
export function Shell({ personas }: { personas: ReactNode }) {
  const { status, address } = useConnection();
  const sessionAt = useSignedIn();
  const { registry, custodians } = useCustodians();
  const queries = useQueryClient();
  // A gateway that stops answering signs nobody out: an exam that is open must be able to say why it closes.
  const signedIn = custodians.some(({ gateway }) => gateway !== null && sessionAt(gateway.base) !== null);
  const checking = registry === "loading" || custodians.some(({ state }) => state === "checking");

  useEffect(() => {
    // What one account was shown does not stay in memory for the next.
    return () => {
      if (address) queries.removeQueries({ predicate: ({ queryKey }) => queryKey.includes(address) });
    };
  }, [address, queries]);

  const connected = status === "connected";
  const content = () => {
    // While a wallet is being asked, the page that asked stays: it tells what came of it.
    if (status === "reconnecting") return <Waiting />;
    if (!connected) return <WelcomePage personas={personas} />;
    if (signedIn) return <Pages />;
    return checking ? <Waiting /> : <SignInPage />;
  };

  return (
    <>
      <a className={s.skip} href="#content">
        Skip to content
      </a>
      <Header signedIn={connected && signedIn} connected={connected} />
      <main id="content" className={s.main} tabIndex={-1}>
        {connected && signedIn && <NetworkNotice />}
        {content()}
      </main>
    </>
  );
}

function Pages() {
  return (
    <Switch>
      <Route path="/">
        <FirstPage />
      </Route>
      <Route path="/my-exams">
        <MyExamsPage />
      </Route>
      <Route path="/shared-with-me">
        <SharedPage />
      </Route>
      <Route path="/custodians">
        <CustodiansPage />
      </Route>
      <Route path="/read/:examId">{({ examId }) => <ReadingPage examId={examId} />}</Route>
      <Route>
        <Page title="Page not found">
          <Empty picture={<Compass />} title="There is nothing at this address">
            Choose where to go from the bar above.
          </Empty>
        </Page>
      </Route>
    </Switch>
  );
}

/** Patients begin with their own exams, practitioners with what is shared with them. */
function FirstPage() {
  const me = useMe();
  if (!me) return <Waiting />;
  return <Redirect to={me.isPractitioner && !me.isPatient ? "/shared-with-me" : "/my-exams"} replace />;
}

function Waiting() {
  return (
    <p className={s.waiting} role="status">
      <Spinner /> One moment…
    </p>
  );
}

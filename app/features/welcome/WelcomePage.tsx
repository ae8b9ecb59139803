import { Building2, Eye, ShieldOff, UserRoundCheck, Wallet } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "../../design/index.ts";
import { ConnectDialog } from "../connect/index.ts";
import { KeyPicture } from "./KeyPicture.tsx";
import s from "./WelcomePage.module.css";

const POINTS = [
  {
    icon: <Building2 aria-hidden="true" />,
    title: "Images stay where they were made",
    words: "They never leave the hospital’s archive, except to whom you name.",
  },
  {
    icon: <UserRoundCheck aria-hidden="true" />,
    title: "You say who, what for, until when",
    words: "Each access is for one person, for a purpose, and ends by itself.",
  },
  {
    icon: <ShieldOff aria-hidden="true" />,
    title: "Take it back at any time",
    words: "A revoke closes the exam at once, also where it is open at that moment.",
  },
];

/** Before anybody is connected: what this is, and the way in. */
export function WelcomePage({ personas }: { personas: ReactNode }) {
  const [connecting, setConnecting] = useState(false);
  const connectButton = (
    <Button
      kind={personas ? "secondary" : "primary"}
      size="large"
      icon={<Wallet aria-hidden="true" />}
      onClick={() => setConnecting(true)}
    >
      Connect your wallet
    </Button>
  );
  return (
    <div className={s.welcome}>
      <title>ExamKey</title>
      <section className={s.hero}>
        <div className={s.words}>
          <h1 className={s.title}>You hold the key to your images.</h1>
          <p className={s.lead}>
            ExamKey opens your X-rays and scans to the people you choose, and to nobody else. What you decide
            is written in a ledger that no hospital, and no administrator, can change for you.
          </p>
          {!personas && <div>{connectButton}</div>}
        </div>
        <KeyPicture className={s.picture} />
      </section>
      {personas && (
        <section className={s.personas} aria-labelledby="try-it">
          <div>
            <h2 id="try-it" className={s.heading}>
              Try it as one of them
            </h2>
            <p className={s.muted}>
              This is a local demo with real sample exams. Share an exam as a patient, then read it as a
              radiologist.
            </p>
          </div>
          {personas}
          <div className={s.own}>
            <span className={s.muted}>Or bring your own:</span> {connectButton}
          </div>
        </section>
      )}
      <ul className={s.points}>
        {POINTS.map(({ icon, title, words }) => (
          <li key={title} className={s.point}>
            <span className={s.pointIcon}>{icon}</span>
            <h2 className={s.pointTitle}>{title}</h2>
            <p className={s.muted}>{words}</p>
          </li>
        ))}
      </ul>
      <p className={s.honest}>
        <Eye aria-hidden="true" />
        <span>
          What no ledger can do: a custodian can always open its own archive, and whoever was shown an image
          may keep a copy.
        </span>
      </p>
      {connecting && <ConnectDialog onClose={() => setConnecting(false)} />}
    </div>
  );
}

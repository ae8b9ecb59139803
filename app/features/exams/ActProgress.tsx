import { Check } from "lucide-react";
import { Button, Notice, Spinner } from "../../design/index.ts";
import s from "./ActProgress.module.css";
import type { Phase } from "./transaction.ts";
import type { ActState } from "./useAct.ts";

/** The steps in order, each as it is told while it runs, and what it is called in the list. */
const STEPS: { phase: Phase | "seen"; label: string; now: string }[] = [
  { phase: "signing", label: "You confirm in your wallet", now: "Your wallet asks you to confirm." },
  { phase: "submitting", label: "Sent to the network", now: "Signed. It is on its way to the network." },
  {
    phase: "confirming",
    label: "Written in the consent ledger",
    now: "The network has it. Waiting for a block.",
  },
  {
    phase: "confirmed",
    label: "The gateway acts on it",
    now: "Confirmed. Waiting for the gateway to see it.",
  },
];

/** What is said instead, where a gateway sends the act. */
const RELAYED: Partial<Record<Phase, string>> = {
  signing: "Your wallet asks you to sign. The custodian pays for sending it.",
  submitting: "Signed. The custodian sends it to the network.",
};

interface ActProgressProps {
  state: ActState;
  /** What is so when it is done. */
  done: string;
  /** Send it from the person's own wallet instead. */
  onSendDirectly: () => void;
}

/** Every step of an act, what is under way told aloud. */
export function ActProgress({ state, done, onSendDirectly }: ActProgressProps) {
  if (state.state === "idle") return null;
  const at = positionOf(state);
  return (
    <div className={s.progress}>
      {at !== null && (
        <ol className={s.steps}>
          {STEPS.map(({ phase, label }, index) => (
            <li
              key={phase}
              className={s.step}
              data-step={index < at ? "done" : index === at ? "now" : "later"}
              aria-current={index === at ? "step" : undefined}
            >
              <span className={s.mark} aria-hidden="true">
                {index < at ? <Check /> : index === at ? <Spinner /> : index + 1}
              </span>
              {label}
            </li>
          ))}
        </ol>
      )}
      <div role="status" aria-live="polite">
        <Outcome state={state} done={done} onSendDirectly={onSendDirectly} />
      </div>
    </div>
  );
}

/** How many steps are behind; null where the steps no longer matter. */
function positionOf(state: ActState): number | null {
  if (state.state === "running") return STEPS.findIndex(({ phase }) => phase === state.phase);
  if (state.state === "done") return state.seen ? STEPS.length : STEPS.length - 1;
  return null;
}

function Outcome({ state, done, onSendDirectly }: ActProgressProps) {
  const sendIt = <Button onClick={onSendDirectly}>Send it myself</Button>;
  switch (state.state) {
    case "idle":
      return null;
    case "running":
      return (
        <>
          <p className={s.now}>{nowInWords(state)}</p>
          {state.isLate && (
            <Notice kind="warn" title="The network has not written it yet." actions={sendIt}>
              The custodian goes on trying. You can also send it from your own wallet, for the network’s fee;
              it counts once, whichever comes first.
            </Notice>
          )}
        </>
      );
    case "done":
      if (state.seen) return <Notice kind="ok" title={done} />;
      return (
        <Notice kind="warn" title={`${done} The consent ledger holds it.`}>
          The gateway has not shown it yet; it may be catching up with the network.
        </Notice>
      );
    case "rejected":
      return (
        <Notice title="You said no in your wallet.">
          Nothing was changed. You can try again whenever you like.
        </Notice>
      );
    case "failed":
      return (
        <Notice kind="danger" title={state.sentence.title} actions={state.canSend ? sendIt : undefined}>
          {state.sentence.way}
        </Notice>
      );
  }
}

function nowInWords({ phase, isRelayed }: Extract<ActState, { state: "running" }>): string | undefined {
  return (isRelayed && RELAYED[phase]) || STEPS.find((step) => step.phase === phase)?.now;
}

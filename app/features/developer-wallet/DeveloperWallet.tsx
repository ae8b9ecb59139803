import { FlaskConical, Stethoscope, UserRound } from "lucide-react";
import { useSyncExternalStore } from "react";
import type { Persona } from "../../../protocol/api.ts";
import { Avatar, Button, Dialog, Notice } from "../../design/index.ts";
import { ReadingWords } from "../signing/index.ts";
import s from "./DeveloperWallet.module.css";
import { describe } from "./describe.ts";
import type { DeveloperProvider, Pending } from "./provider.ts";
import { useKnown } from "./useKnown.ts";

/** The wallet's own interface: who you are, and each question it asks. It is not part of the page it serves. */
export function DeveloperWallet({ provider }: { provider: DeveloperProvider }) {
  const { persona, choosing, pending } = useSyncExternalStore(provider.watch, () => provider.state);
  return (
    <>
      <aside className={s.bar} aria-label="Demo">
        <FlaskConical aria-hidden="true" />
        <span className={s.note}>
          Local demo{persona ? ": you are " : ""}
          {persona && <strong>{persona.name}</strong>}
          {persona && <span className={s.role}>, {persona.role}</span>}
        </span>
        {persona && (
          <button type="button" className={s.switch} onClick={() => provider.askWho()}>
            Switch persona
          </button>
        )}
      </aside>
      {choosing && (
        <Dialog
          title="Who do you want to be?"
          subtitle="The demo’s developer wallet holds a key for each of them. The keys are public: they are for trying out only."
          onClose={() => provider.choose(null)}
        >
          <PersonaList provider={provider} current={persona} />
        </Dialog>
      )}
      {pending && <Question provider={provider} pending={pending} />}
    </>
  );
}

/** The personas to choose from. */
export function PersonaList({
  provider,
  current = null,
  onChosen,
}: {
  provider: DeveloperProvider;
  current?: Persona | null;
  onChosen?: () => void;
}) {
  return (
    <ul className={s.personas}>
      {provider.personas.map((persona) => (
        <li key={persona.address}>
          <button
            type="button"
            className={s.persona}
            aria-current={current?.address === persona.address || undefined}
            onClick={() => {
              provider.choose(persona);
              onChosen?.();
            }}
          >
            <Avatar name={persona.name} address={persona.address} size={44} />
            <span className={s.words}>
              <span className={s.name}>{persona.name}</span>
              <span className={s.role}>{persona.role}</span>
            </span>
            {persona.kind === "patient" ? (
              <UserRound aria-hidden="true" />
            ) : (
              <Stethoscope aria-hidden="true" />
            )}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Question({ provider, pending }: { provider: DeveloperProvider; pending: Pending }) {
  const { asked, persona, answer } = pending;
  const known = useKnown(provider.personas);
  const request = describe(asked, { self: persona.address, descriptors: provider.descriptors, known });
  return (
    <Dialog
      title={request.title}
      subtitle={`The developer wallet asks ${persona.name}`}
      onClose={() => answer(false)}
      footer={
        <>
          <Button onClick={() => answer(false)}>{request.signable ? "Reject" : "Close"}</Button>
          {request.signable && (
            <Button kind="primary" onClick={() => answer(true)}>
              Approve
            </Button>
          )}
        </>
      }
    >
      <div className={s.question}>
        {request.reading && <ReadingWords reading={request.reading} />}
        {request.sentences.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        {request.warning && <Notice kind="warn">{request.warning}</Notice>}
        <details className={s.raw}>
          <summary>{request.signable ? "Exactly what is signed" : "Exactly what was asked"}</summary>
          <pre>{request.raw}</pre>
        </details>
      </div>
    </Dialog>
  );
}

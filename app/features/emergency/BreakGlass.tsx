import { Siren } from "lucide-react";
import { type FormEvent, useId, useState } from "react";
import { getAddress, type Hex, isAddress } from "viem";
import type { EmergencyReason } from "../../../protocol/reasons.ts";
import { GatewayError } from "../../api/index.ts";
import { Button, Choice, Dialog, Field, Group, Hint, Notice } from "../../design/index.ts";
import { EMERGENCY_CHOICES, emergencyInWords } from "../../words/index.ts";
import { sentenceForError, useSignedIn } from "../connect/index.ts";
import s from "./Emergency.module.css";
import { type Place, useBreakGlass, usePlaces } from "./useBreakGlass.ts";

/** For how long an emergency may be opened, in hours: the contract allows no more than four. */
const HOURS = [1, 4] as const;

interface BreakGlassProps {
  examId: string;
  onOpened?: () => void;
}

/** The way into an exam that is not open, for practitioners whom its custodian has named; nothing for anybody else. */
export function BreakGlass({ examId, onOpened }: BreakGlassProps) {
  const places = usePlaces();
  const [place, setPlace] = useState<Place | null>(null);
  return (
    <>
      {places.map((one) => (
        <Button
          key={one.gateway.base}
          kind="danger-quiet"
          icon={<Siren aria-hidden="true" />}
          onClick={() => setPlace(one)}
        >
          {places.length === 1 ? "Open in an emergency" : `Open in an emergency at ${one.gateway.name}`}
        </Button>
      ))}
      {place && (
        <BreakGlassDialog
          examId={examId as Hex}
          place={place}
          onClose={() => setPlace(null)}
          onOpened={() => {
            setPlace(null);
            onOpened?.();
          }}
        />
      )}
    </>
  );
}

interface DialogProps {
  examId: Hex;
  place: Place;
  onClose: () => void;
  onOpened: () => void;
}

function BreakGlassDialog({ examId, place, onClose, onOpened }: DialogProps) {
  const formId = useId();
  const [reason, setReason] = useState<EmergencyReason | null>(null);
  const [hours, setHours] = useState<number>(HOURS[0]);
  const [second, setSecond] = useState("");
  const breaking = useBreakGlass(examId, place);
  const [isSecondNeeded, setSecondNeeded] = useState(false);
  const isSignedIn = useSignedIn()(place.gateway.base)?.purpose === "ETREAT";
  const isReady = reason !== null && (!isSecondNeeded || isAddress(second));

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isReady || breaking.isPending) return;
    const chosen = { reason, hours, second: isSecondNeeded ? getAddress(second) : null };
    breaking.mutate(chosen, {
      onSuccess: onOpened,
      onError: (error) => {
        if (error instanceof GatewayError && error.problem.reason === "second-badge-needed")
          setSecondNeeded(true);
      },
    });
  };

  return (
    <Dialog
      title="Open this exam in an emergency?"
      subtitle="Without the patient’s consent, for a few hours."
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="danger" type="submit" form={formId} disabled={!isReady} busy={breaking.isPending}>
            {breaking.isPending ? "Answer in your wallet…" : "Open it"}
          </Button>
        </>
      }
    >
      <form id={formId} className={s.form} onSubmit={submit}>
        <Notice kind="warn" title="The patient will see that it was you.">
          They are shown who opened it, when, why and until when, from now on. On the network it stays for
          good that this exam was opened, why, and which badge signed; your name does not.
        </Notice>
        <Reasons reason={reason} onChange={setReason} />
        <Hours hours={hours} onChange={setHours} />
        {isSecondNeeded && <SecondBadge badge={second} onChange={setSecond} />}
        <Hint>{whatIsAsked(place, { isSignedIn, isSecondNeeded })}</Hint>
        <div aria-live="assertive">{breaking.isError && <Failure error={breaking.error} />}</div>
      </form>
    </Dialog>
  );
}

/** What the wallet is about to ask for. */
function whatIsAsked(
  { badge, gateway }: Place,
  { isSignedIn, isSecondNeeded }: { isSignedIn: boolean; isSecondNeeded: boolean },
): string {
  const signIn = isSignedIn
    ? ""
    : `Your wallet first asks you to sign in to ${gateway.name} for emergency treatment. `;
  const also = isSecondNeeded ? ", and then by your colleague’s" : "";
  return `${signIn}Your wallet asks for a signature by your badge, ${badge}${also}: those accounts must be in this wallet.`;
}

function Reasons({
  reason,
  onChange,
}: {
  reason: EmergencyReason | null;
  onChange: (reason: EmergencyReason) => void;
}) {
  return (
    <Group legend="Why can the patient not be asked?">
      {EMERGENCY_CHOICES.map((choice) => (
        <Choice
          key={choice}
          type="radio"
          name="emergency-reason"
          label={emergencyInWords(choice).label}
          checked={reason === choice}
          onChange={() => onChange(choice)}
        />
      ))}
    </Group>
  );
}

function Hours({ hours, onChange }: { hours: number; onChange: (hours: number) => void }) {
  return (
    <Group legend="For how long?">
      {HOURS.map((choice) => (
        <Choice
          key={choice}
          type="radio"
          name="emergency-hours"
          label={choice === 1 ? "One hour" : "Four hours"}
          checked={hours === choice}
          onChange={() => onChange(choice)}
        />
      ))}
    </Group>
  );
}

function SecondBadge({ badge, onChange }: { badge: string; onChange: (badge: string) => void }) {
  return (
    <Field
      label="Badge of a second practitioner"
      hint="The address of your colleague’s badge, 0x and 40 digits. They confirm it in the wallet after you."
      isAddress
      value={badge}
      onChange={(text) => onChange(text.trim())}
      required
    />
  );
}

function Failure({ error }: { error: Error }) {
  const { title, way } = sentenceForError(error);
  return (
    <Notice kind="danger" title={title}>
      {way}
    </Notice>
  );
}

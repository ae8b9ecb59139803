import { useId, useState } from "react";
import type { Person } from "../../../protocol/api.ts";
import { Avatar, Choice, Field, Group, Hint, Notice, Spinner } from "../../design/index.ts";
import { addressInGroups, lookAlike, readAddress, sameAddress, shortAddress } from "../../words/index.ts";
import s from "./Dialogs.module.css";

/** Who is about to be granted to; null while nobody is chosen, or the second look is missing. */
export interface ChosenGrantee {
  address: string;
  /** Null for an address that is not enrolled here. */
  name: string | null;
  role: string | null;
}

/** A pasted address, and whether the patient has compared it. */
export interface PastedAddress {
  text: string;
  compared: boolean;
}

/** What the field holds: somebody from the list, or a pasted address. */
export type GranteeChoice = { listed: string } | { pasted: PastedAddress } | null;

interface GranteeFieldProps {
  people: readonly Person[];
  loading: boolean;
  /** Addresses that are never grantees, with why. */
  refused: readonly { address: string; why: string }[];
  /** Addresses that the patient has met before, to tell a look-alike by. */
  known: readonly string[];
  choice: GranteeChoice;
  onChange: (choice: GranteeChoice) => void;
}

/** The grantee that a choice stands for, or null where it does not stand yet. */
export function granteeOfChoice(
  choice: GranteeChoice,
  { people, refused, known }: Pick<GranteeFieldProps, "people" | "refused" | "known">,
): ChosenGrantee | null {
  if (choice === null) return null;
  if ("listed" in choice) return people.find(({ address }) => sameAddress(address, choice.listed)) ?? null;
  const reading = readAddress(choice.pasted.text);
  if (reading.kind !== "address") return null;
  const { address } = reading;
  if (refused.some((other) => sameAddress(other.address, address))) return null;
  const enrolled = people.find((person) => sameAddress(person.address, address));
  if (enrolled) return enrolled;
  if (lookAlike(address, known) || !choice.pasted.compared) return null;
  return { address, name: null, role: null };
}

/** Somebody from the custodian's list, or an address that is pasted and looked at twice. */
export function GranteeField(props: GranteeFieldProps) {
  const { people, loading, choice, onChange } = props;
  const [search, setSearch] = useState("");
  const found = people.filter(({ name, role }) =>
    `${name} ${role}`.toLocaleLowerCase().includes(search.trim().toLocaleLowerCase()),
  );
  const pasting = choice !== null && "pasted" in choice;
  return (
    <Group legend="Who may see it?">
      {people.length > 6 && (
        <Field label="Search by name or role" type="search" value={search} onChange={setSearch} />
      )}
      {loading && people.length === 0 && (
        <Hint role="status">
          <Spinner /> Asking for the custodian’s list…
        </Hint>
      )}
      <div className={s.scroll}>
        {found.map((person) => (
          <Choice
            key={person.address}
            type="radio"
            name="grantee"
            label={person.name}
            explanation={person.role}
            picture={<Avatar name={person.name} address={person.address} />}
            checked={choice !== null && "listed" in choice && sameAddress(choice.listed, person.address)}
            onChange={() => onChange({ listed: person.address })}
          />
        ))}
        {people.length > 0 && found.length === 0 && <Hint>Nobody on the list is called that.</Hint>}
        <Choice
          type="radio"
          name="grantee"
          label="Somebody else"
          explanation="Paste the address that they gave you."
          checked={pasting}
          onChange={() => onChange({ pasted: { text: "", compared: false } })}
        />
      </div>
      {pasting && <PastedField {...props} pasted={choice.pasted} />}
    </Group>
  );
}

function PastedField({
  pasted,
  onChange,
  people,
  refused,
  known,
}: GranteeFieldProps & { pasted: PastedAddress }) {
  const faultId = useId();
  const reading = readAddress(pasted.text);
  const address = reading.kind === "address" ? reading.address : null;
  const refusal = address && refused.find((other) => sameAddress(other.address, address));
  const enrolled = address && people.find((person) => sameAddress(person.address, address));
  const alike = address && !enrolled ? lookAlike(address, known) : null;
  const fault =
    refusal?.why ??
    (reading.kind === "not-an-address" &&
      "This is not an address: one begins with 0x and has 40 characters after it.") ??
    null;
  return (
    <div className={s.stack}>
      <Field
        label="Address"
        isAddress
        value={pasted.text}
        aria-invalid={reading.kind !== "empty" && (address === null || Boolean(refusal))}
        aria-describedby={faultId}
        placeholder="0x…"
        onChange={(text) => onChange({ pasted: { text, compared: false } })}
      />
      <div id={faultId} aria-live="polite" className={s.stack}>
        {fault && <p className={s.fault}>{fault}</p>}
        {reading.kind === "no-checksum" && (
          <p className={s.fault}>
            This address has no checksum, so a mistyped character would go unseen. Ask for it in mixed upper
            and lower case, as wallets show it.
          </p>
        )}
        {reading.kind === "wrong-checksum" && (
          <p className={s.fault}>A character of this address is wrong. Copy it again from where it came.</p>
        )}
        {enrolled && (
          <Notice kind="ok" title={`This is ${enrolled.name}, ${enrolled.role}.`}>
            The custodian knows this address.
          </Notice>
        )}
        {alike && (
          <Notice
            kind="danger"
            title={`This looks like ${shortAddress(alike)}, which you know, but is another address.`}
          >
            Somebody may be trying to deceive you. It is not taken. Ask the person for their address again, by
            another way.
          </Notice>
        )}
        {address && !refusal && !enrolled && !alike && (
          <>
            <Hint>
              The custodian does not know this address. Compare it, group by group, with what the person gave
              you:
            </Hint>
            <AddressInGroups address={address} />
            <Choice
              type="checkbox"
              name="compared"
              label="I have compared every group"
              checked={pasted.compared}
              onChange={(compared) => onChange({ pasted: { text: pasted.text, compared } })}
            />
          </>
        )}
      </div>
    </div>
  );
}

/** The whole of an address, in groups that can be compared by eye. */
export function AddressInGroups({ address }: { address: string }) {
  return (
    <p className={s.groups} role="img" aria-label={address}>
      {addressInGroups(address).map((group, index) => (
        <span key={index}>{group}</span>
      ))}
    </p>
  );
}

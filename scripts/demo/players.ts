import type { Persona } from "../../protocol/api.ts";
import type { StartOptions } from "./options.ts";
import { personas } from "./personas.ts";

/** Somebody in the demo: a persona of the built-in wallet, or the person's own wallet. */
export interface Player {
  address: string;
  name: string;
  role: string;
  kind: Persona["kind"];
  /** What a practitioner signs emergencies with; an own wallet's is the person's to make. */
  badge?: Persona["badge"];
  isOwnWallet: boolean;
  /** How many exams are registered for this patient. */
  exams: number;
}

/** Who takes part: the personas, with the person's own wallets in their places. */
export function cast({ patient, radiologist }: Pick<StartOptions, "patient" | "radiologist">): Player[] {
  const players: Player[] = personas().map((persona) => ({ ...persona, isOwnWallet: false, exams: 0 }));
  const own = (address: string) => ({
    address,
    name: `Wallet ${address.slice(0, 6)}…${address.slice(-4)}`,
    isOwnWallet: true,
    exams: 0,
  });
  if (patient) players[0] = { ...own(patient), role: "Patient", kind: "patient" };
  if (radiologist) players.push({ ...own(radiologist), role: "Radiologist", kind: "practitioner" });
  return players;
}

/** The personas that the demo's built-in wallet can play. */
export function playedPersonas(players: readonly Player[]): Persona[] {
  const played = players.filter(({ isOwnWallet }) => !isOwnWallet).map(({ address }) => address);
  return personas().filter(({ address }) => played.includes(address));
}

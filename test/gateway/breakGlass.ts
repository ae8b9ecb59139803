/** Emergencies in tests: badges that the custodian has named, and what practitioners sign with them. */
import { Contract, type HDNodeWallet, Wallet } from "ethers";
import { emergencyAccessAbi } from "../../protocol/abi/emergencyAccess.ts";
import type { Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { blindedGrantee, newSalt } from "../../protocol/ids.ts";
import { EMERGENCY_REASONS } from "../../protocol/reasons.ts";
import { EMERGENCY_TYPES, emergencyDomain } from "../../protocol/typedData.ts";
import type { PersonName, World } from "../world.ts";

/** The contract, with its custodian as sender. */
export function emergencyContract({ environment, people }: World): Contract {
  return new Contract(environment.EMERGENCY_ACCESS ?? "", emergencyAccessAbi, people.custodian);
}

/** Enrol somebody as a practitioner with a new badge, which the custodian names on the chain. */
export async function giveBadge(world: World, name: PersonName, called: string): Promise<HDNodeWallet> {
  const badge = Wallet.createRandom();
  const { address } = world.people[name];
  const person = { address, name: called, role: "Radiologist", badge: badge.address };
  const enrolled = await world.admin("/practitioners", person);
  if (!enrolled.ok) throw new Error(`No badge for ${name}: ${await enrolled.text()}`);
  await nameBadge(world, badge.address, true);
  return badge;
}

export async function nameBadge(world: World, badge: string, named: boolean): Promise<void> {
  await (await emergencyContract(world).getFunction("setPractitioner")(badge, named)).wait();
}

/** What somebody asks for who breaks the glass; fields in `bent` go over what is signed and sent. */
export type Bent = { until?: number; count?: number; reason?: string; salt?: Hex; reader?: Hex };

/** The body of a request of somebody's for an exam, signed by badges. */
export async function signedEmergency(
  world: World,
  exam: Pick<Exam, "examId">,
  [as, ...badges]: [PersonName, ...Pick<Wallet, "address" | "signTypedData">[]],
  bent: Bent = {},
) {
  const salt = bent.salt ?? newSalt();
  const { count } = await emergencyContract(world).getFunction("historyOf").staticCall(exam.examId);
  const signed = {
    examId: exam.examId,
    reader: bent.reader ?? blindedGrantee(world.people[as].address, salt),
    until: bent.until ?? Math.floor(Date.now() / 1000) + 3_600,
    count: bent.count ?? Number(count),
  };
  const reason = bent.reason ?? "life-threatening";
  const position = (EMERGENCY_REASONS as readonly string[]).indexOf(reason);
  const domain = emergencyDomain(31337, world.environment.EMERGENCY_ACCESS ?? "");
  const types = { Emergency: [...EMERGENCY_TYPES.Emergency] };
  const [signature, second] = await Promise.all(
    badges.map((badge) =>
      badge.signTypedData(domain, types, { ...signed, reason: position, badge: badge.address }),
    ),
  );
  const { reader: _, ...sent } = signed;
  const other = second === undefined ? null : { badge: badges[1]?.address, signature: second };
  return { ...sent, salt, reason, signature, second: other };
}

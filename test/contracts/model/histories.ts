/** Random histories, for fast-check: most of what people try is allowed, and some is wrong in each way that the ledger knows. */
import fc from "fast-check";
import {
  type CustodianAct,
  type Membership,
  NOBODY,
  type PatientAct,
  type Seconds,
  type Terms,
} from "./acts.ts";
import { BOUNDARIES, HEAD, IN_MANY, KNEE, MANY, OF_NOBODY, ONE, OTHER_HEAD, SALT } from "./cast.ts";
import { OWNER, type Plan, type Signing } from "./plans.ts";

/** One of some kinds, as often as their weights say. */
function mix<T>(...kinds: [weight: number, kind: fc.Arbitrary<T>][]): fc.Arbitrary<T> {
  return fc.oneof(...kinds.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

/** One of some values, as often as their weights say; what fails is shrunk to the first. */
function pick<T>(...values: [weight: number, value: T][]): fc.Arbitrary<T> {
  const kinds = values.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) }));
  return fc.oneof({ withCrossShrink: true }, ...kinds);
}

const [EARLY, MIDDLE, LATE] = BOUNDARIES;

const after = pick<Seconds>([5, 0], [4, 1], [1, 3]);
const custodian = pick([3, "clinic"], [1, "hospital"]);
const patient = pick([6, "ann"], [3, "ben"], [1, "cleo"], [1, "rita"]);
const receiver = pick([5, "ben"], [3, "ann"], [1, "rita"]);
const anybody = pick([3, "ben"], [3, "cleo"], [1, "ann"], [1, "raj"]);
const exam = pick<string>([5, HEAD], [2, OTHER_HEAD], [2, KNEE]);
const examToStore = mix([9, exam], [1, fc.constant(OF_NOBODY)]);
const manifest = pick([1, "first"], [1, "second"]);
const grantee = pick([6, "rita"], [3, `rita#${SALT}`], [2, "raj"], [1, NOBODY]);

const resource = pick<string>(
  [4, HEAD],
  [3, `${HEAD}/1`],
  [2, `${HEAD}/2`],
  [2, OTHER_HEAD],
  [1, `${OTHER_HEAD}/1`],
  [2, KNEE],
  [1, `${KNEE}/1`],
  [2, "clinic/*"],
  [1, "hospital/*"],
  [2, "*"],
);
const resources = fc.array(resource, { maxLength: 3, size: "max" });
const oneResource = resource.map((each) => [each]);

const terms: fc.Arbitrary<Terms> = fc.record({
  notBefore: pick([12, EARLY], [4, MIDDLE], [1, LATE]),
  notAfter: pick([4, LATE], [1, MIDDLE]),
  purposes: pick<Terms["purposes"]>([6, ["TREAT"]], [3, ["TREAT", "HRESCH"]], [3, ["HRESCH"]], [1, []]),
  actions: pick<Terms["actions"]>([6, ["VIEW"]], [3, ["VIEW", "DOWNLOAD"]], [3, ["DOWNLOAD"]], [1, []]),
  unknownBits: pick([30, false], [1, true]),
});

const membership: fc.Arbitrary<Membership> = fc.record({
  batch: pick([3, MANY], [1, ONE]),
  manifest: pick([5, "of many"], [2, "of one"], [1, "of none"]),
  proven: pick([6, true], [1, false]),
});

const custodianAct = mix<CustodianAct>(
  [4, fc.record({ name: fc.constant("register"), exam: examToStore, manifest })],
  [4, fc.record({ name: fc.constant("claim"), exam: examToStore, membership })],
  [2, fc.record({ name: fc.constant("amend"), exam, manifest })],
  [1, fc.record({ name: fc.constant("retire"), patient, of: pick([1, "knee"], [1, "head"]) })],
  [
    3,
    fc.record({
      name: fc.constant("setOperator"),
      operator: pick([3, "otto"], [1, "ben"]),
      named: fc.boolean(),
    }),
  ],
  [
    3,
    fc.record({
      name: fc.constant("registerBatch"),
      custodian,
      batch: pick([2, MANY], [1, ONE]),
      count: pick([6, 4], [1, 0]),
    }),
  ],
);

/** What a guardian may do too. */
const entrusted = mix<PatientAct>(
  [5, fc.record({ name: fc.constant("grantBatch"), resources, grantee, terms })],
  [3, fc.record({ name: fc.constant("revokeBatch"), resources, grantee })],
  [1, fc.record({ name: fc.constant("revokeAll") })],
);

const nameGuardian = fc.record({
  name: fc.constant("nameGuardian"),
  guardian: pick([4, "ben"], [4, "cleo"], [1, NOBODY]),
  until: pick<Seconds>([3, 100], [2, 1], [1, 3], [1, 0]),
});

const patientAct = mix<PatientAct>(
  [9, fc.record({ name: fc.constant("grant"), resources: oneResource, grantee, terms })],
  [5, fc.record({ name: fc.constant("revoke"), resources: oneResource, grantee })],
  [5, entrusted],
  [3, nameGuardian],
  [2, fc.record({ name: fc.constant("handOver"), exam, to: mix([8, receiver], [1, fc.constant(NOBODY)]) })],
  [2, fc.record({ name: fc.constant("accept"), exam })],
);

const signing: fc.Arbitrary<Signing> = fc.record({
  signer: pick<string | undefined>([20, undefined], [1, "raj"]),
  nonce: pick([14, 0], [3, -1], [1, -2], [1, 1]),
  nonceOf: pick<Signing["nonceOf"]>([6, "all"], [1, "first"], [1, "last"]),
  tooManyNonces: pick([20, false], [1, true]),
  epoch: pick([16, 0], [2, -1], [1, 1]),
  validFor: pick<Seconds>([12, 100], [1, 1], [1, 0], [1, -1]),
});

/** Sent by the patient, or signed by them and sent by anybody. */
type Way = { after: Seconds; sender: string; signing?: Signing };
const way: fc.Arbitrary<Way> = fc.record({
  after,
  sender: anybody,
  signing: mix<Signing | undefined>([3, fc.constant(undefined)], [2, signing]),
});

function inOnesName(patient: string, act: PatientAct, { after, sender, signing }: Way): Plan {
  return { after, sender: signing ? sender : patient, patient, act, signing };
}

const ofCustodian = fc.record({
  after,
  sender: pick([5, "clinic"], [2, "hospital"], [2, "otto"], [1, "ann"]),
  act: custodianAct,
});
const ofPatient = fc
  .record({ patient, act: patientAct, way })
  .map(({ patient, act, way }) => inOnesName(patient, act, way));
const replay = fc.record({ after, sender: anybody, replay: pick([6, 0], [2, 1], [1, 2]) });

/** What was done is signed once more, as if it had not been, or for some of its slots. */
const again = fc
  .record({ patient, act: patientAct, way, after, sender: anybody, signing, nonce: pick([3, -1], [1, 0]) })
  .map(({ patient, act, way, after, sender, signing, nonce }) => [
    inOnesName(patient, act, way),
    { after, sender, patient, act, signing: { ...signing, nonce } },
  ]);

/** An exam changes hands, if its owner's offer stands when it is accepted. */
const handingOver = fc
  .record({ exam, to: receiver, offering: way, accepting: way })
  .map(({ exam, to, offering, accepting }) => [
    inOnesName(OWNER, { name: "handOver", exam, to }, offering),
    inOnesName(to, { name: "accept", exam }, accepting),
  ]);

/** A guardian acts, perhaps in their last second, perhaps too late. */
const guarding = fc
  .record({ patient, naming: nameGuardian, way, after, act: entrusted })
  .map(({ patient, naming, way, after, act }): Plan[] => [
    inOnesName(patient, naming, way),
    { after, sender: naming.guardian === NOBODY ? "cleo" : naming.guardian, patient, act },
  ]);

const scene = mix<Plan[]>(
  [4, ofCustodian.map((plan) => [plan])],
  [10, ofPatient.map((plan) => [plan])],
  [2, replay.map((plan) => [plan])],
  [2, again],
  [2, handingOver],
  [3, guarding],
);

/** How most histories begin, so that there is something to act on. */
const OPENING: Plan[] = [
  { after: 0, sender: "clinic", act: { name: "register", exam: HEAD, manifest: "first" } },
  {
    after: 0,
    sender: "clinic",
    act: { name: "registerBatch", custodian: "clinic", batch: MANY, count: MANY.length },
  },
  {
    after: 0,
    sender: "hospital",
    act: { name: "registerBatch", custodian: "hospital", batch: MANY, count: MANY.length },
  },
  { after: 0, sender: "ann", act: { name: "claim", exam: KNEE, membership: IN_MANY } },
];

const opening = fc.tuple(...OPENING.map((plan) => pick<Plan[]>([1, []], [9, [plan]])));

/** Drawn from the last scene to the first: what fast-check shrinks keeps its last element, and here loses its end first. */
export const histories: fc.Arbitrary<Plan[]> = fc
  .tuple(opening, fc.array(scene, { minLength: 1, maxLength: 50, size: "max" }))
  .map(([opening, scenes]) => [...opening, ...scenes.toReversed()].flat());

/** How long what a patient signed lives, and what it opens: told by what the ledger decides. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ALL_EXAMS_RESOURCE, examId, examsAtResource } from "../../protocol/ids.ts";
import { actionsToMask, purposesToMask } from "../../protocol/terms.ts";
import { Scene } from "./scene.ts";
import type { Message } from "./signing.ts";

let scene: Scene;
let before: string;

beforeAll(async () => {
  scene = await Scene.open();
});
afterAll(() => scene.close());

beforeEach(async () => {
  before = await scene.snapshot();
});
afterEach(() => scene.restore(before));

/** A grant that is signed now, and may be sent later. */
async function signedGrant(bent: Partial<Message> = {}) {
  const message = await scene.next("Grant", bent);
  const signature = await scene.sign("Grant", message);
  return { message, send: () => scene.submit("Grant", message, signature) };
}

/** The patient's first exam goes from one to the other. */
async function handOver(from: "patient" | "otherPatient", to: "patient" | "otherPatient"): Promise<void> {
  const exam = examId(scene.exams[0]);
  await scene.call(from, "handOver", exam, scene.of[to]);
  await scene.call(to, "accept", exam);
}

const revokeAll = () => scene.call("patient", "revokeAll", scene.of.patient);

describe("a signed grant that nobody has sent", () => {
  it("opens the exam when it is sent", async () => {
    const { send } = await signedGrant();
    expect(await scene.decide()).toBe("not-granted");
    await send();
    expect(await scene.decide()).toBe("permitted");
  });

  it("dies with a revoke of the same, signed or not, and even of what was never granted", async () => {
    for (const revoke of [
      async () => scene.act("Revoke", await scene.next("Revoke")),
      async () => scene.submitNext("Revoke"),
      async () => scene.submitNext("RevokeBatch"),
    ]) {
      await scene.rewinding(async () => {
        const { send } = await signedGrant();
        await revoke();
        await expect(send()).rejects.toThrow("ConsentLedgerNonceMismatch(0, 1)");
        expect(await scene.decide()).toBe("revoked");
      });
    }
  });

  it("dies with a grant of other terms: only one of two that were signed can be used", async () => {
    const first = await signedGrant();
    const second = await signedGrant({ purposes: purposesToMask(["HRESCH"]) });
    await second.send();
    await expect(first.send()).rejects.toThrow("ConsentLedgerNonceMismatch(0, 1)");
    expect(await scene.decide()).toBe("purpose-not-granted");
  });

  it("dies with a revokeAll", async () => {
    const { send } = await signedGrant();
    await revokeAll();
    await expect(send()).rejects.toThrow("ConsentLedgerEpochPassed(0, 1)");
    expect(await scene.decide()).toBe("not-granted");
  });

  it("dies when the exam leaves the patient, also when it comes back", async () => {
    const { send } = await signedGrant();
    await handOver("patient", "otherPatient");
    await expect(send()).rejects.toThrow("ConsentLedgerEpochPassed(0, 1)");
    await handOver("otherPatient", "patient");
    await expect(send()).rejects.toThrow("ConsentLedgerEpochPassed(0, 1)");
    expect(await scene.decide()).toBe("not-granted");
  });

  it("dies when another exam leaves the patient: so does all that they signed before", async () => {
    const { send } = await signedGrant({ resource: examId(scene.exams[1]) });
    await handOver("patient", "otherPatient");
    await expect(send()).rejects.toThrow("ConsentLedgerEpochPassed(0, 1)");
  });

  it("lives on while an exam is only offered, or comes to the patient", async () => {
    const { send } = await signedGrant();
    await scene.submitNext("HandOver");
    await scene.submitNext("Accept");
    await send();
    expect(await scene.decide()).toBe("permitted");
  });
});

describe("a signed grant that was sent", () => {
  it("cannot bring back what was revoked since", async () => {
    const { send } = await signedGrant();
    await send();
    await scene.submitNext("Revoke");
    await expect(send()).rejects.toThrow("ConsentLedgerNonceMismatch(0, 2)");
    expect(await scene.decide()).toBe("revoked");
  });

  it("opens nothing any more after a revokeAll, and cannot be sent again", async () => {
    const { send } = await signedGrant();
    await send();
    await scene.submitNext("RevokeAll");
    expect(await scene.decide()).toBe("revoked");
    await expect(send()).rejects.toThrow("ConsentLedgerEpochPassed(0, 1)");
  });

  it("opens nothing any more once the exam was away, and cannot be sent again", async () => {
    const { send } = await signedGrant();
    await send();
    await handOver("patient", "otherPatient");
    await handOver("otherPatient", "patient");
    expect(await scene.decide()).toBe("revoked");
    await expect(send()).rejects.toThrow("ConsentLedgerEpochPassed(0, 1)");
  });
});

describe("after a revokeAll", () => {
  it.each(["signed", "direct"])(
    "an identical grant, %s, opens again from the next second on",
    async (how) => {
      await scene.submitNext("Grant");
      await revokeAll();
      await scene.at((await scene.world.now()) + 1);
      if (how === "signed") expect(await scene.submitNext("Grant")).toHaveLength(1);
      else await scene.act("Grant", await scene.next("Grant"));
      expect(await scene.decide()).toBe("permitted");
    },
  );

  it("what is granted in its own second stays dead", async () => {
    await revokeAll();
    const { send } = await signedGrant();
    await scene.at(await scene.world.now());
    expect(await send()).toHaveLength(1);
    expect(await scene.decide()).toBe("revoked");
    await expect(send()).rejects.toThrow("ConsentLedgerNonceMismatch(0, 1)");
    expect(await scene.decide()).toBe("revoked");
  });

  it("guardians and offers of its own second stay dead too", async () => {
    await revokeAll();
    const second = await scene.world.now();
    for (const act of ["NameGuardian", "HandOver"] as const) {
      const message = await scene.next(act);
      const signature = await scene.sign(act, message);
      await scene.at(second);
      expect(await scene.submit(act, message, signature)).toHaveLength(1);
    }
    const { ledger } = scene.world;
    expect(await ledger.getFunction("isGuardian").staticCall(scene.of.patient, scene.of.stranger)).toBe(
      false,
    );
    const accepted = scene.call("otherPatient", "accept", examId(scene.exams[0]));
    await expect(accepted).rejects.toThrow("ConsentLedgerNotOffered");
  });
});

describe("a signed revokeAll", () => {
  it("works in whatever epoch it arrives: nobody who takes over an exam can hinder it", async () => {
    await scene.submitNext("Grant", { resource: examId(scene.exams[1]) });
    const message = await scene.next("RevokeAll");
    const signature = await scene.sign("RevokeAll", message);
    await handOver("patient", "otherPatient");
    await handOver("otherPatient", "patient");
    await handOver("patient", "otherPatient");
    expect(await scene.decide(scene.exams[1])).toBe("permitted");
    expect(await scene.submit("RevokeAll", message, signature)).toHaveLength(1);
    expect(await scene.decide(scene.exams[1])).toBe("revoked");
  });

  it("is refused when it comes again after a grant, and does not end it", async () => {
    const message = await scene.next("RevokeAll");
    const signature = await scene.sign("RevokeAll", message);
    await scene.submit("RevokeAll", message, signature);
    await scene.at((await scene.world.now()) + 1);
    await scene.submitNext("Grant");
    await expect(scene.submit("RevokeAll", message, signature)).rejects.toThrow(
      "ConsentLedgerNonceMismatch(0, 1)",
    );
    expect(await scene.decide()).toBe("permitted");
  });
});

describe("several grants", () => {
  it("never add up: one alone must allow the purpose and the action", async () => {
    const [treat, research] = [["TREAT"], ["HRESCH"]] as const;
    await scene.submitNext("Grant", { purposes: purposesToMask(treat), actions: actionsToMask(["VIEW"]) });
    for (const resource of [examsAtResource(scene.of.custodian), ALL_EXAMS_RESOURCE]) {
      const wide = { resource, purposes: purposesToMask(research), actions: actionsToMask(["DOWNLOAD"]) };
      await scene.submitNext("Grant", wide);
    }
    const ask = (purposes: typeof treat | typeof research, action: "VIEW" | "DOWNLOAD") =>
      scene.decide(scene.exams[0], {
        purpose: BigInt(purposesToMask(purposes)),
        action: BigInt(actionsToMask([action])),
      });
    expect(await ask(treat, "VIEW")).toBe("permitted");
    expect(await ask(research, "DOWNLOAD")).toBe("permitted");
    expect(await ask(treat, "DOWNLOAD")).toBe("action-not-granted");
    expect(await ask(research, "VIEW")).toBe("purpose-not-granted");
  });

  it("never add up in one slot: the second stands in the place of the first", async () => {
    await scene.submitNext("Grant");
    await scene.submitNext("Grant", { actions: actionsToMask(["DOWNLOAD"]) });
    expect(await scene.decide()).toBe("action-not-granted");
  });

  it.each([
    ["all exams at the custodian", () => examsAtResource(scene.of.custodian)],
    ["all exams", () => ALL_EXAMS_RESOURCE],
  ])("do not open an exam that was revoked under one for %s", async (_, wide) => {
    await scene.submitNext("Grant", { resource: wide() });
    expect(await scene.decide()).toBe("permitted");
    await scene.submitNext("Revoke");
    expect(await scene.decide()).toBe("revoked");
    await scene.submitNext("Grant", { resource: wide() });
    expect(await scene.decide()).toBe("revoked");
    expect(await scene.decide(scene.exams[1])).toBe("permitted");
  });
});

describe("a guardian", () => {
  it("acts for the patient in person, but their signature is not the patient's", async () => {
    await scene.submitNext("NameGuardian");
    for (const act of ["GrantBatch", "RevokeBatch", "RevokeAll"] as const) {
      const message = await scene.next(act);
      const signature = await scene.sign(act, message, scene.world.people.stranger);
      await expect(scene.submit(act, message, signature)).rejects.toThrow("ConsentLedgerInvalidSignature");
      expect(await scene.act(act, message, "stranger")).toHaveLength(1);
    }
  });

  it("who signs as a patient grants on their own exams alone", async () => {
    await scene.submitNext("NameGuardian");
    const message = await scene.next("Grant", { patient: scene.of.stranger });
    await scene.submit("Grant", message, await scene.sign("Grant", message, scene.world.people.stranger));
    expect(await scene.decide()).toBe("not-granted");
  });
});

describe("a reorganisation", () => {
  it("that undoes an act leaves its signature as it was: it can be sent again", async () => {
    const { send } = await signedGrant();
    await scene.rewinding(send);
    expect(await scene.decide()).toBe("not-granted");
    expect(await send()).toHaveLength(1);
    expect(await scene.decide()).toBe("permitted");
  });
});
